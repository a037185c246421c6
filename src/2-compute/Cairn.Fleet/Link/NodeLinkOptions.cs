namespace Cairn.Fleet.Link;

/// <summary>How nodes reach this server, and how much one connection may ask of it.</summary>
public sealed class NodeLinkOptions
{
    /// <summary>
    /// The host name or IP address by which nodes reach the gRPC endpoint, as join tokens say it; default <c>127.0.0.1</c>. The server's
    /// certificate names it. The port is the one that is open.
    /// </summary>
    public string AdvertisedHost { get; set; } = "127.0.0.1";

    /// <summary>Further host names and IP addresses for the server's certificate; default none.</summary>
    public IList<string> CertificateNames { get; set; } = [];

    /// <summary>The folder of the CA and of the server's certificate, with their private keys (mode 0600).</summary>
    public string CertificateFolder { get; set; } = "";

    /// <summary>The longest message a node may send, in bytes; 64 KiB to 64 MiB, default 4 MiB.</summary>
    public int MaxMessageBytes { get; set; } = 4 << 20;

    /// <summary>
    /// The most messages that wait for one stream, 64 to 1,000,000; default 16,384. A stream whose node reads more slowly than it is
    /// written to is ended at this bound, and its nodes attach anew.
    /// </summary>
    public int OutboundQueue { get; set; } = 16_384;

    /// <summary>The most nodes one stream may stand for, 1 to 1,000,000; default 65,536.</summary>
    public int MaxNodesPerStream { get; set; } = 65_536;

    /// <summary>How long a new stream may take until its first node has proved its key, in seconds; 1 to 600, default 30.</summary>
    public int ProofSeconds { get; set; } = 30;

    /// <summary>The largest blob a node may leave, in bytes; default 64 GiB.</summary>
    public long MaxBlobBytes { get; set; } = 64L << 30;

    /// <summary>
    /// The most streams open at once through one node's tunnel, 1 to 100,000; default 1,000. Each may hold 256 KiB unread, and all together
    /// 64 MiB more.
    /// </summary>
    public int TunnelStreams { get; set; } = 1_000;

    /// <summary>
    /// How long who opens a stream waits for a node that has no tunnel yet, in seconds; 0 to 60, default 5. A node opens its tunnel when
    /// it is given its first service, and again after a break.
    /// </summary>
    public int TunnelWaitSeconds { get; set; } = 5;

    /// <summary>Everything that is wrong with these options, one sentence each; empty when they are good.</summary>
    public IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        if (Uri.CheckHostName(AdvertisedHost) == UriHostNameType.Unknown)
            errors.Add($"AdvertisedHost is '{AdvertisedHost}'; expected a host name or an IP address, such as cairn.example.org.");
        if (string.IsNullOrWhiteSpace(CertificateFolder))
            errors.Add("CertificateFolder is empty; give a folder that only the server can read.");
        Check(nameof(MaxMessageBytes), MaxMessageBytes, 64 << 10, 64 << 20);
        Check(nameof(OutboundQueue), OutboundQueue, 64, 1_000_000);
        Check(nameof(MaxNodesPerStream), MaxNodesPerStream, 1, 1_000_000);
        Check(nameof(ProofSeconds), ProofSeconds, 1, 600);
        Check(nameof(TunnelStreams), TunnelStreams, 1, 100_000);
        Check(nameof(TunnelWaitSeconds), TunnelWaitSeconds, 0, 60);
        Check(nameof(MaxBlobBytes), MaxBlobBytes, 1, long.MaxValue);
        return errors;

        void Check(string name, long value, long least, long most)
        {
            if (value < least || value > most)
                errors.Add($"{name} is {value}; expected {least} to {most}.");
        }
    }
}
