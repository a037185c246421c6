using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Cairn.Contracts.Wire;

namespace Cairn.Node.Facts;

/// <summary>
/// What the daemon reports of its machine at the moment; what the machine has is found by <see
/// cref="Hardware.Discovery.MachineDiscovery"/>.
/// </summary>
internal static class MachineFacts
{
    /// <summary>The address by which this machine reaches the server, which is how its peers most likely reach it.</summary>
    public static string AddressTowards(string server)
    {
        try
        {
            JoinToken.TrySplitServer(server, out var host, out var port);
            using var socket = new Socket(SocketType.Dgram, ProtocolType.Udp);
            // Connecting a datagram socket sends nothing: it only asks the routing table.
            socket.Connect(host.Trim('[', ']'), port);
            var address = ((IPEndPoint)socket.LocalEndPoint!).Address;
            return (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).ToString();
        }
        catch (SocketException)
        {
            return "127.0.0.1";
        }
    }

    public static long FreeDisk(string folder)
    {
        try
        {
            return new DriveInfo(folder).AvailableFreeSpace;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return 0;
        }
    }

    /// <summary>Busy and total ticks of all CPUs since the boot, from /proc/stat; see proc(5).</summary>
    public static (long Busy, long Total) CpuTicks()
    {
        var line = File.Exists("/proc/stat") ? File.ReadLines("/proc/stat").FirstOrDefault() : null;
        if (line is null)
            return (0, 0);
        var ticks = line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1).Take(8)
            .Select(t => long.Parse(t, CultureInfo.InvariantCulture)).ToArray();
        var total = ticks.Sum();
        return (total - ticks[3] - ticks[4], total);
    }

    public static long MemoryUsed()
    {
        long Value(string[] lines, string name) =>
            lines.FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal)) is { } line
            && long.TryParse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture, out var kib) ? kib * 1024 : 0;
        var all = File.Exists("/proc/meminfo") ? File.ReadAllLines("/proc/meminfo") : [];
        return Math.Max(0, Value(all, "MemTotal:") - Value(all, "MemAvailable:"));
    }
}
