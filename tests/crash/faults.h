#pragma once

// What can happen to a program at any of its calls that change the disk. This test program has its own rename(2),
// write(2) and so on, which count themselves and do as they are told; everything in it uses them, the libraries too.
namespace ingot::test::faults {

enum class Moment { before, after, amidst };  // amidst: half of a write is written

// At the n-th call from now on the process is killed.
void crash_at(long call, Moment moment);
// From the n-th call on, for so many of them, there is no room on the disk. What takes none works as ever.
void fill_disk_at(long call, long calls);
// All is well again.
void end();
long calls();  // since the last of these

}  // namespace ingot::test::faults
