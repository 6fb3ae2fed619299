use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use tokio::time::{Instant, advance};

use crate::backend::access::{Bucket, Guess, Limits, Quota};

const HOME: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

/// How many of so many guesses are let in, a thousand a second.
async fn let_in(guess: Guess, guesses: u32, of: impl Fn(u32) -> (String, IpAddr)) -> u32 {
    let limits = Limits::default();
    let mut passed = 0;
    for number in 0..guesses {
        let (agent, address) = of(number);
        passed += u32::from(limits.attempt(guess, &agent, address).is_ok());
        if number % 1_000 == 999 {
            advance(Duration::from_secs(1)).await;
        }
    }
    passed
}

fn address(number: u32) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from(0x0a00_0000 + number))
}

#[tokio::test(start_paused = true)]
async fn of_a_million_guesses_from_one_place_hardly_any_is_looked_at() {
    // 1,000 seconds: five at once, and one in 30 seconds, or 12.
    let password = let_in(Guess::Password, 1_000_000, |_| ("ada".to_owned(), HOME)).await;
    assert_eq!(password, 5 + 1_000 / 30);
    let key = let_in(Guess::SessionKey, 1_000_000, |_| ("ada".to_owned(), HOME)).await;
    assert_eq!(key, 5 + 1_000 / 12);
}

#[tokio::test(start_paused = true)]
async fn another_address_for_each_guess_is_of_no_use() {
    let passed = let_in(Guess::Password, 1_000_000, |n| {
        ("ada".to_owned(), address(n))
    })
    .await;
    assert_eq!(passed, 50 + 999 / 10);
    let passed = let_in(Guess::SessionKey, 1_000_000, |n| {
        ("ada".to_owned(), address(n))
    })
    .await;
    assert_eq!(passed, 5 + 1_000 / 12);
}

#[tokio::test(start_paused = true)]
async fn a_stranger_at_another_address_locks_nobody_out() {
    let limits = Limits::default();
    for _ in 0..3_600 {
        for stranger in 1..=3 {
            let _ = limits.attempt(Guess::Password, "ada", address(stranger));
        }
        assert_eq!(limits.attempt(Guess::Password, "ada", HOME), Ok(()));
        limits.was_right(Guess::Password, "ada", HOME);
        advance(Duration::from_secs(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn another_name_for_each_guess_is_of_no_use() {
    let passed = let_in(Guess::Password, 1_000_000, |n| (format!("a{n}"), HOME)).await;
    assert_eq!(passed, 20 + 1_000 / 6);
}

#[tokio::test(start_paused = true)]
async fn names_and_addresses_without_end_meet_the_limit_for_all() {
    let passed = let_in(Guess::Password, 1_000_000, |n| {
        (format!("a{n}"), address(n))
    })
    .await;
    assert!((2_090..=2_100).contains(&passed), "{passed}");
}

#[tokio::test(start_paused = true)]
async fn a_network_of_ipv6_is_one_place() {
    let within = |number: u32| {
        let low = u128::from(number) << 8;
        let address = Ipv6Addr::from(0x2001_0db8_0000_0001_u128 << 64 | low);
        (format!("a{number}"), IpAddr::V6(address))
    };
    assert_eq!(let_in(Guess::Password, 100, within).await, 20);
    let mapped = |number: u32| {
        let address = Ipv4Addr::new(192, 0, 2, 1);
        let address = match number % 2 {
            0 => IpAddr::V4(address),
            _ => IpAddr::V6(address.to_ipv6_mapped()),
        };
        (format!("a{number}"), address)
    };
    assert_eq!(let_in(Guess::Password, 100, mapped).await, 20);
}

#[tokio::test(start_paused = true)]
async fn capitals_are_no_other_name() {
    let name = |number| if number % 2 == 0 { "ada" } else { "ADA" };
    let passed = let_in(Guess::Password, 100, |n| (name(n).to_owned(), HOME)).await;
    assert_eq!(passed, 5);
    let passed = let_in(Guess::Password, 100, |n| (name(n).to_owned(), address(n))).await;
    assert_eq!(passed, 50);
}

#[tokio::test(start_paused = true)]
async fn who_guesses_right_is_never_held_up() {
    let limits = Limits::default();
    for _ in 0..1_000 {
        assert_eq!(limits.attempt(Guess::Password, "ada", HOME), Ok(()));
        limits.was_right(Guess::Password, "ada", HOME);
    }
}

#[tokio::test(start_paused = true)]
async fn one_kind_of_guess_does_not_use_up_the_other() {
    let limits = Limits::default();
    while limits.attempt(Guess::Password, "ada", HOME).is_ok() {}
    assert_eq!(limits.attempt(Guess::SessionKey, "ada", HOME), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn who_waits_as_long_as_was_told_is_let_in() {
    let limits = Limits::default();
    while limits.attempt(Guess::Password, "ada", HOME).is_ok() {}
    let told = limits.attempt(Guess::Password, "ada", HOME).unwrap_err();
    advance(told.retry_after - Duration::from_millis(1)).await;
    assert!(limits.attempt(Guess::Password, "ada", HOME).is_err());
    advance(Duration::from_millis(1)).await;
    assert_eq!(limits.attempt(Guess::Password, "ada", HOME), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_bucket_never_holds_more_than_its_quota() {
    let quota = Quota::new(2, Duration::from_secs(1));
    let mut bucket = Bucket::full(Instant::now());
    bucket.give(quota, Instant::now());
    advance(Duration::from_secs(1_000)).await;
    let taken = (0..10)
        .filter(|_| bucket.try_take(quota, Instant::now()))
        .count();
    assert_eq!(taken, 2);
}
