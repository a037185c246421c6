using Cairn.Contracts.Wire;
using Cairn.Contracts.Workloads;
using Cairn.Hardware.Facts;

namespace Cairn.Hardware.Discovery;

/// <summary>NVIDIA cards as its management library reports them; a card that is cut into instances (MIG) is its instances.</summary>
internal static class NvidiaDevices
{
    /// <param name="library">See <see cref="MachineDiscovery"/>.</param>
    /// <param name="machineMemoryBytes">What a GPU has that shares the machine's memory.</param>
    public static IReadOnlyList<Device> Find(string library, long machineMemoryBytes)
    {
        using var nvml = Nvml.TryOpen(library);
        if (nvml is null)
            return [];
        var driver = nvml.DriverVersion();
        var devices = new List<Device>();
        for (var i = 0u; i < nvml.DeviceCount(); i++)
        {
            if (nvml.Device(i) is not { } card)
                continue;
            var instances = nvml.MigInstances(card);
            foreach (var handle in instances.Count > 0 ? instances : [card])
                devices.Add(Describe(nvml, card, handle, driver, machineMemoryBytes));
        }

        return devices;
    }

    private static Device Describe(Nvml nvml, nint card, nint handle, string driver, long machineMemoryBytes)
    {
        var name = nvml.Name(card);
        var cardMemory = nvml.MemoryBytes(card);
        var facts = Accelerators.Find(name, cardMemory) ?? (nvml.PciId(card) is { } pci ? Accelerators.Find(pci, cardMemory) : null);
        var canonical = facts?.Name ?? AcceleratorName.Canonical(name.Replace("NVIDIA ", "", StringComparison.OrdinalIgnoreCase));
        var memory = handle == card ? cardMemory : nvml.MemoryBytes(handle);
        if (memory == 0)
            memory = facts is { MemoryKind: "LPDDR5" } ? machineMemoryBytes : facts?.MemoryBytes ?? 0;
        return new Device
        {
            Name = handle == card ? canonical : InstanceName(canonical, nvml.Name(handle)),
            Vendor = "nvidia",
            MemoryBytes = memory,
            Uuid = nvml.Uuid(handle),
            DriverVersion = driver,
        };
    }

    /// <summary>
    /// An instance is not the card: its name begins with <c>MIG</c>, so that a workload which asks for the card is not placed on a slice
    /// of it.
    /// The driver calls it <c>NVIDIA H100 80GB HBM3 MIG 1g.10gb</c>.
    /// </summary>
    private static string InstanceName(string card, string driverName)
    {
        var profile = driverName.LastIndexOf("MIG ", StringComparison.Ordinal) is var at and >= 0 ? driverName[(at + 4)..] : "instance";
        return $"MIG-{card}-{AcceleratorName.Canonical(profile)}";
    }
}
