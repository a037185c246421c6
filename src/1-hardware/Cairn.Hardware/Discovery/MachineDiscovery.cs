using System.Runtime.InteropServices;
using Cairn.Contracts.Wire;

namespace Cairn.Hardware.Discovery;

/// <summary>
/// Finds what a Linux machine has for work, as the process may use it: limits of control groups and the affinity mask count, not what the
/// host has.
/// Reads <c>/proc</c> and <c>/sys</c> and asks NVIDIA's management library; what is not there is absent from the answer, never an error.
/// </summary>
/// <param name="root">The folder that <c>proc</c>, <c>sys</c> and <c>etc</c> lie in; tests write their own.</param>
/// <param name="nvmlLibrary">NVIDIA's management library: a name for the loader or a path. Where it cannot be loaded there is no NVIDIA
/// card.</param>
public sealed class MachineDiscovery(string root = "/", string nvmlLibrary = MachineDiscovery.SystemNvml)
{
    public const string SystemNvml = "libnvidia-ml.so.1";

    private readonly MachineFiles _files = new(root);

    /// <param name="diskPath">Where tasks live; its file system's free space is what counts. The nearest folder that exists is
    /// asked.</param>
    /// <param name="declared">Devices that a person declares (<see cref="DeclaredDevices"/>); they follow those that were found.</param>
    /// <returns>Without <see cref="Inventory.Benchmark"/> and <see cref="Inventory.Address"/>, which the caller adds.</returns>
    public Inventory Discover(string diskPath, IReadOnlyList<Device>? declared = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(diskPath);
        var limits = CgroupLimits.Read(_files);
        var cpu = CpuInfo.Read(_files);
        var memory = MemoryBytes(limits);
        var inventory = new Inventory
        {
            Hostname = _files.Line("proc/sys/kernel/hostname") ?? Environment.MachineName,
            OperatingSystem = OperatingSystemName(),
            Architecture = RuntimeInformation.OSArchitecture.ToString().ToLowerInvariant(),
            CpuModel = cpu.Model,
            Cpus = UsableCpus(cpu, limits),
            MemoryBytes = memory,
            DiskBytes = FreeDisk.BytesAt(diskPath),
        };
        inventory.CpuFeatures.AddRange(cpu.Features);
        foreach (var device in NvidiaDevices.Find(nvmlLibrary, memory).Concat(AmdDevices.Find(_files)))
            Add(inventory, device);
        if (inventory.Devices.Count == 0 && JetsonDevice.Find(_files, memory) is { } jetson)
            Add(inventory, jetson);
        foreach (var device in declared ?? [])
            Add(inventory, device.Clone());
        return inventory;
    }

    private static void Add(Inventory inventory, Device device)
    {
        device.Index = inventory.Devices.Count;
        inventory.Devices.Add(device);
    }

    /// <summary>Whole CPUs that the scheduler may use, or less where a quota of time is smaller.</summary>
    private double UsableCpus(CpuInfo cpu, CgroupLimits limits)
    {
        var set = cpu.Online;
        if (CpuList.Parse(_files.Status("Cpus_allowed_list")) is { } allowed)
            set = CpuList.Intersect(set, allowed);
        if (limits.CpuSet is { } pinned)
            set = CpuList.Intersect(set, pinned);
        var whole = Math.Max(1, set.Count);
        return limits.CpuQuota is { } quota && quota < whole ? quota : whole;
    }

    private long MemoryBytes(CgroupLimits limits)
    {
        var total = _files.KeyedKibibytes("proc/meminfo", "MemTotal") ?? 0;
        return limits.MemoryBytes is { } limit && (total == 0 || limit < total) ? limit : total;
    }

    private string OperatingSystemName()
    {
        foreach (var line in _files.Lines("etc/os-release"))
        {
            if (line.StartsWith("PRETTY_NAME=", StringComparison.Ordinal))
                return line["PRETTY_NAME=".Length..].Trim('"');
        }

        return RuntimeInformation.OSDescription;
    }
}
