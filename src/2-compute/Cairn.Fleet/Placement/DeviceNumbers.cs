using Cairn.Fleet.Nodes;
using Cairn.Planning.Scheduling;

namespace Cairn.Fleet.Placement;

/// <summary>
/// The scheduler numbers a node's devices 0, 1, 2 … in the order of their listing; the machine numbers them as it likes. What is beyond
/// <see cref="NodeShape.MaxDevices"/> is not scheduled.
/// </summary>
internal static class DeviceNumbers
{
    /// <summary>Equal devices in a row make one shape.</summary>
    public static List<DeviceShape> ShapesOf(IReadOnlyList<NodeDevice> devices)
    {
        var shapes = new List<DeviceShape>();
        foreach (var device in devices.Take(NodeShape.MaxDevices))
        {
            if (shapes.Count > 0 && shapes[^1] is var last && last.Name == device.Name && last.Vendor == device.Vendor
                && last.MemoryBytes == device.MemoryBytes)
                shapes[^1] = last with { Count = last.Count + 1 };
            else
                shapes.Add(new DeviceShape(device.Name, device.Vendor, device.MemoryBytes, 1));
        }
        return shapes;
    }

    /// <summary>The machine's numbers of the devices whose bits are set, with commas.</summary>
    public static string NumbersOf(int[] positions, IReadOnlyList<NodeDevice> devices) =>
        positions.Length == 0 ? "" : string.Join(',', positions.Select(p => p < devices.Count ? devices[p].Index : p));

    /// <summary>The bits of the devices that the machine numbers so; those that are gone are left out.</summary>
    public static ulong BitsOf(int[] numbers, IReadOnlyList<NodeDevice> devices)
    {
        ulong bits = 0;
        for (var position = 0; position < Math.Min(devices.Count, NodeShape.MaxDevices); position++)
        {
            if (Array.IndexOf(numbers, devices[position].Index) >= 0)
                bits |= 1UL << position;
        }
        return bits;
    }
}
