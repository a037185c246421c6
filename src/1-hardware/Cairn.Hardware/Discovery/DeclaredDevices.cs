using System.Globalization;
using Cairn.Contracts.Wire;
using Cairn.Hardware.Facts;

namespace Cairn.Hardware.Discovery;

/// <summary>
/// Devices that a person declares and that are not there: <c>H100:8</c>, or several kinds parted by commas. All are marked simulated.
/// </summary>
public static class DeclaredDevices
{
    public const int MaxDevices = 4096;

    /// <exception cref="FormatException">The text is no such list, or names an unknown accelerator; the message says which and what is
    /// known.</exception>
    public static IReadOnlyList<Device> Parse(string text) => TryParse(text, out var problem) ?? throw new FormatException(problem);

    /// <returns>Null where the text is no such list; <paramref name="problem"/> then says what is wrong and what to write.</returns>
    public static IReadOnlyList<Device>? TryParse(string text, out string? problem)
    {
        ArgumentNullException.ThrowIfNull(text);
        var devices = new List<Device>();
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            problem = Add(devices, part);
            if (problem is not null)
                return null;
        }

        problem = null;
        return devices;
    }

    private static string? Add(List<Device> devices, string part)
    {
        var colon = part.LastIndexOf(':');
        var name = colon < 0 ? part : part[..colon];
        var count = 1;
        if (colon >= 0 && (!int.TryParse(part[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out count) || count < 1))
            return $"The declared device '{part}' has the count '{part[(colon + 1)..]}'; expected a whole number from 1, as in H100:8.";
        if (devices.Count + count > MaxDevices)
            return $"More than {MaxDevices} devices are declared on one node.";
        if (Accelerators.Find(name) is not { } facts)
            return $"The declared device '{name}' is not in the table of accelerators; known are "
                + $"{string.Join(", ", Accelerators.KnownNames)}.";
        for (var i = 0; i < count; i++)
        {
            var index = devices.Count;
            devices.Add(new Device
            {
                Index = index,
                Name = facts.Name,
                Vendor = facts.Vendor,
                MemoryBytes = facts.MemoryBytes,
                Uuid = string.Create(CultureInfo.InvariantCulture, $"SIMULATED-{facts.Name}-{index}"),
                Simulated = true,
            });
        }

        return null;
    }
}
