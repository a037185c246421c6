using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Cairn.Bench.Gateway;

/// <summary>Sleeps to the microsecond: the runtime's own sleep counts in milliseconds, and waiting by spinning would take a core from what is measured. Linux only.</summary>
internal static partial class PreciseSleep
{
    private const int Monotonic = 1;
    private const int Absolute = 1;
    private const int TimerSlack = 29;

    /// <summary>Lets the calling thread be woken on time instead of up to 50 µs later.</summary>
    public static void Sharpen() => _ = Control(TimerSlack, 1, 0, 0, 0);

    /// <param name="due">By <see cref="Stopwatch"/>, whose clock is the kernel's monotonic one in nanoseconds.</param>
    public static void Until(long due)
    {
        var time = new Time { Seconds = due / 1_000_000_000, Nanoseconds = due % 1_000_000_000 };
        while (Stopwatch.GetTimestamp() < due)
        {
            // A signal may end it early.
            _ = Sleep(Monotonic, Absolute, time, 0);
        }
    }

    [LibraryImport("libc", EntryPoint = "clock_nanosleep")]
    private static partial int Sleep(int clock, int flags, in Time until, nint left);

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int Control(int option, nuint one, nuint two, nuint three, nuint four);

    private struct Time
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
