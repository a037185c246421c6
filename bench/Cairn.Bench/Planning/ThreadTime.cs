using System.Runtime.InteropServices;

namespace Cairn.Bench.Planning;

/// <summary>How long the calling thread has run on a core, by Linux's clock of it; elsewhere the elapsed time stands in.</summary>
internal static class ThreadTime
{
    private const int ThreadCpuTime = 3;

    public static double Milliseconds() => OperatingSystem.IsLinux() && ClockGetTime(ThreadCpuTime, out var time) == 0
        ? time.Seconds * 1e3 + time.Nanoseconds / 1e6
        : Environment.TickCount64;

    [DllImport("libc", EntryPoint = "clock_gettime")]
    private static extern int ClockGetTime(int clock, out TimeSpec time);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public nint Seconds;
        public nint Nanoseconds;
    }
}
