using Cairn.Contracts.Wire;
using Cairn.Hardware.Facts;

namespace Cairn.Hardware.Discovery;

/// <summary>A Jetson's GPU, by the board's name in the device tree: most of its system images have no management library.</summary>
internal static class JetsonDevice
{
    /// <param name="files">Where to look.</param>
    /// <param name="memoryBytes">The machine's; the GPU shares it.</param>
    public static Device? Find(MachineFiles files, long memoryBytes)
    {
        var board = files.Line("proc/device-tree/model");
        if (board is null || !board.Contains("Jetson", StringComparison.OrdinalIgnoreCase))
            return null;
        var facts = Accelerators.Find(board, memoryBytes)
            ?? Accelerators.All
                .Where(a => a.Name.StartsWith("JETSON-", StringComparison.Ordinal)
                    && a.Aliases.Any(alias => board.Contains(alias, StringComparison.OrdinalIgnoreCase)))
                .OrderBy(a => Math.Abs(a.MemoryBytes - memoryBytes))
                .FirstOrDefault();
        return facts is null ? null : new Device { Name = facts.Name, Vendor = facts.Vendor, MemoryBytes = memoryBytes };
    }
}
