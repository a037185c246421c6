using System.Collections.Frozen;
using System.Text.Json;
using Cairn.Contracts.Api;
using Cairn.Serving.Files;
using Cairn.Serving.Gateway.Snapshots;

namespace Cairn.Serving.Gateways;

/// <summary>A line of what a server tells a gateway that runs alone, as JSON. An empty line says only that the server is there.</summary>
internal sealed record FeedLine
{
    public SnapshotFile? Snapshot { get; init; }

    /// <summary>Report now: another gateway may need what this one holds.</summary>
    public bool Report { get; init; }

    /// <summary>The id of a request whose explanation somebody asked for.</summary>
    public string? Explain { get; init; }

    public byte[] ToBytes() => [.. JsonSerializer.SerializeToUtf8Bytes(this, ApiJson.Compact), (byte)'\n'];
}

/// <summary>A snapshot as it travels and as a gateway keeps it on disk. It has providers' credentials in it.</summary>
internal sealed record SnapshotFile(IReadOnlyList<ModelRoute> Models, IReadOnlyList<GatewayKey> Keys)
{
    /// <summary>What a server takes that was told nothing else, bytes.</summary>
    public static readonly long UsualFileBytes = new FilesOptions().MostBytes;

    /// <summary>Endpoints by their own DNS names.</summary>
    public IReadOnlyDictionary<string, HostRoute> Hosts { get; init; } = new Dictionary<string, HostRoute>();

    /// <summary>
    /// Whether projects can spend only what they have. Their credits are lent then, as budgets are; default no, as of a server that does
    /// not lend them.
    /// </summary>
    public bool LimitsFunds { get; init; }

    /// <summary>The largest file that the server takes, bytes; default <see cref="UsualFileBytes"/>, as of a server that does not tell.</summary>
    public long MostFileBytes { get; init; } = UsualFileBytes;

    /// <param name="snapshot">What the server's own gateway serves from.</param>
    /// <param name="limitsFunds">See <see cref="LimitsFunds"/>.</param>
    /// <param name="mostFileBytes">See <see cref="MostFileBytes"/>.</param>
    public static SnapshotFile Of(GatewaySnapshot snapshot, bool limitsFunds, long mostFileBytes) =>
        new([.. snapshot.Models.Values], [.. snapshot.Keys.Values]) { Hosts = snapshot.Hosts, LimitsFunds = limitsFunds, MostFileBytes = mostFileBytes };

    public GatewaySnapshot ToSnapshot(long version) => new(version, Models.ToFrozenDictionary(m => m.Name), Keys.ToFrozenDictionary(k => k.Id))
    {
        Hosts = Hosts.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase),
    };
}
