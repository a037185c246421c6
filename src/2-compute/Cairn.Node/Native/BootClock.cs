namespace Cairn.Node.Native;

/// <summary>
/// Time whose timestamps count from the machine's start, go on while it sleeps, and mean the same in every process of one boot
/// (CLOCK_BOOTTIME). So a lease or a time limit that was stamped by one daemon still holds for the next one.
/// </summary>
internal sealed class BootClock : TimeProvider
{
    private const int BootTime = 7;

    public static readonly BootClock Instance = new();

    public override long TimestampFrequency => 1_000_000_000;

    public override long GetTimestamp()
    {
        if (Posix.ClockGetTime(BootTime, out var time) != 0)
            throw new InvalidOperationException("the kernel has no CLOCK_BOOTTIME: Linux 2.6.39 or later is needed");
        return time.Seconds * 1_000_000_000 + time.Nanoseconds;
    }

    /// <summary>Names the running boot: stamps of another boot mean nothing.</summary>
    public static string BootId()
    {
        const string path = "/proc/sys/kernel/random/boot_id";
        return File.Exists(path) ? File.ReadAllText(path).Trim() : "";
    }
}
