namespace Cairn.Hardware.Tests.Discovery;

/// <summary>A folder that looks like a machine's root; gone after the test.</summary>
internal sealed class FakeMachine : IDisposable
{
    public FakeMachine(int cpus = 8, long memoryKibibytes = 32L << 20)
    {
        Write("proc/cpuinfo", string.Concat(Enumerable.Range(0, cpus).Select(i =>
            $"processor\t: {i}\nmodel name\t: Test CPU 9000\nflags\t\t: fpu sse4_2 avx avx2 fma avx512f amx_tile ht\n\n")));
        Write("proc/meminfo", $"MemTotal:       {memoryKibibytes} kB\nMemFree:        1234 kB\n");
        Write("proc/self/status", $"Name:\tcairn\nCpus_allowed_list:\t0-{cpus - 1}\n");
    }

    public string Root { get; } = Directory.CreateTempSubdirectory("cairn-machine-").FullName;

    public FakeMachine Write(string path, string text)
    {
        var file = Path.Combine(Root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
        return this;
    }

    /// <summary>A version 2 tree with the process in <paramref name="group"/>.</summary>
    public FakeMachine WithCgroup2(string group, string mountRoot = "/")
    {
        Write("proc/self/cgroup", $"0::{group}\n");
        return Write("proc/self/mountinfo", $"30 23 0:26 {mountRoot} /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n").Write("sys/fs/cgroup/cgroup.controllers", "cpu memory\n");
    }

    /// <summary>Version 1 trees of cpu, memory and cpuset with the process in <paramref name="group"/>.</summary>
    public FakeMachine WithCgroup1(string group, string mountRoot = "/")
    {
        Write("proc/self/cgroup", $"5:cpuset:{group}\n4:memory:{group}\n3:cpu,cpuacct:{group}\n1:name=systemd:{group}\n");
        return Write(
            "proc/self/mountinfo",
            $"""
            32 31 0:29 {mountRoot} /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
            34 31 0:31 {mountRoot} /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset
            35 31 0:32 {mountRoot} /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
            40 31 0:37 {mountRoot} /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd
            27 1 254:0 / / rw,relatime - ext4 /dev/vda rw

            """).Write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    }

    public FakeMachine WithAmdCard(int card, string deviceId, long memoryBytes, string uniqueId, string? product = null)
    {
        var device = $"sys/class/drm/card{card}/device";
        Write($"{device}/vendor", "0x1002\n").Write($"{device}/device", deviceId + "\n").Write($"{device}/mem_info_vram_total",
            $"{memoryBytes}\n");
        Write($"{device}/unique_id", uniqueId + "\n").Write($"sys/class/drm/card{card}-DP-1/status", "disconnected\n");
        return product is null ? this : Write($"{device}/product_name", product + "\n");
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
