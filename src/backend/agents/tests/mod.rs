mod choice;
mod examples;
