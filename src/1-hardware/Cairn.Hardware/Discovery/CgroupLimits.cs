using System.Globalization;

namespace Cairn.Hardware.Discovery;

/// <summary>
/// The limits of the process's control groups, versions 1 and 2 and both at once. A group is bound by all groups above it, so the
/// smallest limit from its own folder up to the mount point counts. Inside a container the folders above are hidden, and those that are
/// visible suffice.
/// </summary>
/// <param name="CpuQuota">CPUs' worth of time per time; null without a quota.</param>
/// <param name="CpuSet">The CPUs that the group is pinned to; null where it says nothing.</param>
/// <param name="MemoryBytes">Null without a limit.</param>
internal sealed record CgroupLimits(double? CpuQuota, IReadOnlySet<int>? CpuSet, long? MemoryBytes)
{
    /// <summary>Version 1 writes "no limit" as the largest multiple of a page; nothing near it is meant.</summary>
    private const long Unlimited = long.MaxValue / 2;

    public static CgroupLimits Read(MachineFiles files)
    {
        double? quota = null;
        long? memory = null;
        IReadOnlySet<int>? pinned = null;
        foreach (var hierarchy in CgroupHierarchy.Find(files))
        {
            foreach (var folder in hierarchy.FromOwnToTop(files))
            {
                if (hierarchy.Has("cpu"))
                    quota = Least(quota, hierarchy.Version2 ? Quota2(files, folder) : Quota1(files, folder));
                if (hierarchy.Has("memory"))
                    memory = Least(memory, hierarchy.Version2
                        ? Bytes(files, $"{folder}/memory.max") : Bytes(files, $"{folder}/memory.limit_in_bytes"));
                if (hierarchy.Has("cpuset"))
                    pinned ??= CpuList.Parse(files.Line($"{folder}/{(hierarchy.Version2 ? "cpuset.cpus.effective" : "cpuset.cpus")}"));
            }
        }

        return new CgroupLimits(quota, pinned, memory);
    }

    /// <summary><c>cpu.max</c>: quota and period in microseconds, or <c>max</c>.</summary>
    private static double? Quota2(MachineFiles files, string folder) =>
        files.Line($"{folder}/cpu.max")?.Split(' ') is [var quota, var period] ? Ratio(Whole(quota), Whole(period)) : null;

    private static double? Quota1(MachineFiles files, string folder) =>
        Ratio(files.Number($"{folder}/cpu.cfs_quota_us"), files.Number($"{folder}/cpu.cfs_period_us"));

    private static double? Ratio(long? quota, long? period) => quota > 0 && period > 0 ? (double)quota / period : null;

    private static long? Bytes(MachineFiles files, string file) => files.Number(file) is { } bytes and > 0 and < Unlimited ? bytes : null;

    private static long? Whole(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null;

    private static T? Least<T>(T? a, T? b) where T : struct, IComparable<T> =>
        a is { } x && b is { } y ? x.CompareTo(y) <= 0 ? x : y : a ?? b;
}
