using Cairn.Serving.Gateway.Routing;

namespace Cairn.Serving.Gateway;

/// <summary>How the gateway takes requests and passes them on.</summary>
public sealed class GatewayOptions
{
    /// <summary>Keys under keys under keys; deeper ones are held to the first eight.</summary>
    public const int MostKeyLevels = 8;

    /// <summary>
    /// A JSON body is refused beyond this, bytes; default 8 MiB, about two million tokens. It is kept until the first byte of the answer,
    /// so that it can be sent again.
    /// </summary>
    public int MostBodyBytes { get; set; } = 8 << 20;

    /// <summary>All bodies that are kept at once, bytes; default 256 MiB. A request beyond it is told to come again.</summary>
    public long BodyMemoryBytes { get; set; } = 256L << 20;

    /// <summary>A non-streamed answer is cut off beyond this, bytes; default 64 MiB.</summary>
    public long MostAnswerBytes { get; set; } = 64L << 20;

    /// <summary>How often a request is tried before its first byte is answered; default 3.</summary>
    public int Attempts { get; set; } = 3;

    /// <summary>A replica or provider that does not take a connection within this failed; default 5 s.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// An attempt without a byte for this long failed; default 300 s. Long, because a long prompt is computed before the first token.
    /// </summary>
    public TimeSpan SilenceTimeout { get; set; } = TimeSpan.FromSeconds(300);

    /// <summary>Copies that one mirroring endpoint has at once; default 16. A request beyond is not copied.</summary>
    public int MirroredAtOnce { get; set; } = 16;

    /// <summary>A request whose body is larger is not copied to a mirror, bytes; default 1 MiB.</summary>
    public int MirroredBodyBytes { get; set; } = 1 << 20;

    /// <summary>A mirror's answer is read up to here and then cut off, bytes; default 8 MiB. None of it is kept.</summary>
    public long MirroredAnswerBytes { get; set; } = 8L << 20;

    /// <summary>
    /// How long a copy may take, its answer included; default 120 s. One without a byte of an answer by then failed; a longer answer is
    /// cut off.
    /// </summary>
    public TimeSpan MirrorTimeLimit { get; set; } = TimeSpan.FromSeconds(120);

    /// <summary>
    /// How long a request of models, or to a DNS name that may be an endpoint's, waits for the first snapshot after a start; then it is
    /// told to come again. Default 10 s.
    /// </summary>
    public TimeSpan StartPatience { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Blocks of prompts that are remembered with the replicas that have them, 28 bytes each; default 262,144.</summary>
    public int PrefixIndexEntries { get; set; } = 1 << 18;

    /// <summary>Decisions that <c>cairn explain</c> can tell of; default 10,000.</summary>
    public int RememberedDecisions { get; set; } = 10_000;

    /// <summary>
    /// Whether replicas are dialled at the address that their node gives, instead of through the tunnel that the node holds open; default
    /// false. Faster where the network between them is trusted. A node says its own address, so the gateway connects wherever any node
    /// wishes, and prompts travel unencrypted.
    /// </summary>
    public bool DirectReplicas { get; set; }

    /// <summary>DNS names that are the server's own, so that no endpoint may have them.</summary>
    public IReadOnlyList<string> OwnHosts { get; set; } = [];

    /// <summary>Whether keys' budgets are spent from what a server lends; so at a gateway that runs alone.</summary>
    internal bool BorrowedBudgets { get; init; }

    public RoutingOptions Routing { get; set; } = new();

    public BreakerOptions Breaker { get; set; } = new();
}
