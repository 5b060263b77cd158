//! Names for people nobody has named.

use crate::address::Phone;

const FIRST: [&str; 32] = [
    "Aisyah",
    "Amir",
    "Azlan",
    "Chee Keong",
    "Chong Wei",
    "Danish",
    "Devi",
    "Faizal",
    "Farah",
    "Hafiz",
    "Hui Min",
    "Izzat",
    "Jia Hui",
    "Kavitha",
    "Khairul",
    "Kumar",
    "Li Ying",
    "Mei Ling",
    "Nadia",
    "Nurul",
    "Prakash",
    "Priya",
    "Rahim",
    "Rashid",
    "Sarah",
    "Siti",
    "Suresh",
    "Syafiq",
    "Wei Jie",
    "Xin Yi",
    "Yusof",
    "Zulaikha",
];
const LAST: [&str; 24] = [
    "Abdullah", "Ahmad", "Anand", "Chan", "Chong", "Hamzah", "Hassan", "Ibrahim", "Ismail", "Lee", "Lim", "Menon",
    "Mohamad", "Nair", "Ng", "Ong", "Osman", "Pillai", "Rahman", "Raju", "Tan", "Teoh", "Wong", "Yap",
];

/// The name of the person with this number, always the same.
#[must_use]
pub fn of(phone: Phone) -> String {
    let mixed = phone.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16;
    let first = FIRST[(mixed % FIRST.len() as u64) as usize];
    let last = LAST[(mixed / FIRST.len() as u64 % LAST.len() as u64) as usize];
    format!("{first} {last}")
}
