using Cairn.Contracts.Wire;
using Cairn.Contracts.Workloads;
using Cairn.Hardware.Facts;

namespace Cairn.Hardware.Discovery;

/// <summary>AMD cards through the <c>amdgpu</c> driver's files (kernel documentation, "GPU amdgpu driver: driver information").</summary>
internal static class AmdDevices
{
    private const string AmdVendorId = "0x1002";

    public static IEnumerable<Device> Find(MachineFiles files)
    {
        var driver = files.Line("sys/module/amdgpu/version") ?? "";
        foreach (var card in files.Folders("sys/class/drm").Where(IsCard))
        {
            var device = $"{card}/device";
            if (files.Line($"{device}/vendor") != AmdVendorId || files.Number($"{device}/mem_info_vram_total") is not { } memory)
                continue;
            var id = files.Line($"{device}/device") ?? "";
            yield return new Device
            {
                Name = NameOf(id, files.Line($"{device}/product_name"), memory),
                Vendor = "amd",
                MemoryBytes = memory,
                Uuid = files.Line($"{device}/unique_id") ?? SlotOf(files, device),
                DriverVersion = driver,
            };
        }
    }

    /// <summary><c>card0</c>, and not its connectors, such as <c>card0-DP-1</c>.</summary>
    private static bool IsCard(string folder)
    {
        var name = Path.GetFileName(folder);
        return name.StartsWith("card", StringComparison.Ordinal) && name.AsSpan(4) is { Length: > 0 } digits
            && !digits.ContainsAnyExceptInRange('0', '9');
    }

    private static string NameOf(string deviceId, string? product, long memory)
    {
        var pci = deviceId.StartsWith("0x", StringComparison.Ordinal) ? deviceId[2..] : deviceId;
        var facts = Accelerators.Find($"1002:{pci}", memory) ?? (product is null ? null : Accelerators.Find(product, memory));
        return facts?.Name ?? AcceleratorName.Canonical(product ?? $"AMD-{pci}");
    }

    private static string SlotOf(MachineFiles files, string device)
    {
        const string Key = "PCI_SLOT_NAME=";
        return files.Lines($"{device}/uevent").FirstOrDefault(line => line.StartsWith(Key, StringComparison.Ordinal))?[Key.Length..] ?? "";
    }
}
