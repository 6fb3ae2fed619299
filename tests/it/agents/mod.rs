//! The agents' listener over real sockets: who may ask, who may do what, and what is seen.

mod desk;
mod doors;
mod house;
mod logins;
mod restart;
mod seats;
