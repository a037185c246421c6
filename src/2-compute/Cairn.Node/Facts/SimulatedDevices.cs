using System.Globalization;
using Cairn.Contracts.Wire;

namespace Cairn.Node.Facts;

/// <summary>Devices that a person declares and that are not there: <c>H100:8</c>, <c>A100-80GB:4,T4</c>.</summary>
internal static class SimulatedDevices
{
    private const int MostDevices = 1024;

    public static (IReadOnlyList<Device> Devices, string? Problem) Parse(string text)
    {
        var devices = new List<Device>();
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            var pieces = part.Split(':', StringSplitOptions.TrimEntries);
            var count = 1;
            if (pieces.Length > 2 || pieces[0].Length == 0
                || (pieces.Length == 2 && !int.TryParse(pieces[1], NumberStyles.None, CultureInfo.InvariantCulture, out count))
                || count < 1 || devices.Count + count > MostDevices)
            {
                return ([], $"'{part}' does not name simulated devices: expected NAME or NAME:COUNT such as H100:8, at most {MostDevices} in all");
            }
            for (var i = 0; i < count; i++)
                devices.Add(Make(devices.Count, pieces[0]));
        }
        return (devices, null);
    }

    private static Device Make(int index, string name) =>
        new() { Index = index, Name = name, Vendor = "simulated", Uuid = $"simulated-{name}-{index}", Simulated = true };
}
