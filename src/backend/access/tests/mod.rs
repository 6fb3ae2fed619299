mod access;
mod decisions;
mod limits;
