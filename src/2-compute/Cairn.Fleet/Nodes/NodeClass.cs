using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;

namespace Cairn.Fleet.Nodes;

/// <summary>
/// Nodes that a plan need not tell apart: same place, price, promises and size. One class is one offer. Sizes that machines of one kind
/// report a little differently are rounded down first, memory to 1/64 of its power of two and disk to 1/16, so that the offer promises
/// what every node of the class has and a rack of equal machines is one class.
/// </summary>
internal sealed class NodeClass
{
    private NodeClass(string key, NodeFacts facts)
    {
        Key = key;
        Facts = facts;
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)), 0, 6);
        OfferId = $"{facts.Provider}/{facts.Region.Name}/{facts.InstanceType}/{hash}";
    }

    /// <summary>Equal for nodes of one class, and only for them.</summary>
    public string Key { get; }

    /// <summary>The facts of any of its nodes, sizes rounded down; the address and the device indexes mean nothing here.</summary>
    public NodeFacts Facts { get; }

    /// <summary>Stable over restarts: it is made of the class's facts alone.</summary>
    public string OfferId { get; }

    public static NodeClass Of(NodeFacts facts)
    {
        var rounded = facts with
        {
            MemoryBytes = FloorToStep(facts.MemoryBytes, 64),
            DiskBytes = FloorToStep(facts.DiskBytes, 16),
            Address = "",
        };
        return new NodeClass(KeyOf(rounded), rounded);
    }

    /// <summary>
    /// Rounds down to a multiple of the <paramref name="steps"/>-th part of the greatest power of two that is not above it.
    /// </summary>
    internal static long FloorToStep(long bytes, int steps)
    {
        if (bytes < steps)
            return bytes;
        var step = (1L << BitOperations.Log2((ulong)bytes)) / steps;
        return bytes / step * step;
    }

    /// <summary>Every part is preceded by its length, so no text can look like two.</summary>
    private static string KeyOf(NodeFacts f)
    {
        var key = new StringBuilder(256);
        Add(f.Pool, f.Provider, f.DeploymentModel, f.Region.Name, f.Region.Country, f.Region.Point?.Latitude, f.Region.Point?.Longitude,
            f.InstanceType);
        Add(f.Price.MicrosPerHour, f.Trust, f.WorksOffline, f.Interconnect, f.AvailabilityPercent, f.Simulated);
        Add(f.Cpus, f.MemoryBytes, f.DiskBytes, f.Architecture);
        if (f.Preemptible)
            Add("preemptible");
        Add(f.Certifications.Count);
        foreach (var certification in f.Certifications)
            Add(certification);
        Add(f.Labels.Count);
        foreach (var (name, value) in f.Labels)
            Add(name, value);
        foreach (var kind in f.Devices.GroupBy(d => (d.Name, d.Vendor, d.MemoryBytes, d.Simulated)).OrderBy(g => g.Key))
            Add(kind.Key.Name, kind.Key.Vendor, kind.Key.MemoryBytes, kind.Key.Simulated, kind.Count());
        return key.ToString();

        void Add(params ReadOnlySpan<object?> parts)
        {
            foreach (var part in parts)
            {
                var text = Convert.ToString(part, CultureInfo.InvariantCulture) ?? "";
                key.Append(text.Length).Append(':').Append(text);
            }
        }
    }
}
