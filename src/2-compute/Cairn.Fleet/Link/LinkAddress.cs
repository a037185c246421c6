using System.Globalization;

namespace Cairn.Fleet.Link;

/// <summary>Where nodes reach this server, as join tokens say it.</summary>
internal sealed class LinkAddress(NodeLinkOptions options)
{
    private int _port;

    /// <summary><c>host:port</c>; null before the port is open.</summary>
    public string? Advertised
    {
        get
        {
            var (host, port) = (options.AdvertisedHost, Volatile.Read(ref _port));
            if (port == 0)
                return null;
            return string.Create(CultureInfo.InvariantCulture, $"{(host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host)}:{port}");
        }
    }

    /// <summary>A port was opened for nodes. Of several the first is told.</summary>
    public void Opened(int port) => Interlocked.CompareExchange(ref _port, port, 0);
}
