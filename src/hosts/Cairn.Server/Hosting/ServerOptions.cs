using System.Net;
using Cairn.Fleet.Nodes;
using Cairn.Serving.Batches;
using Cairn.Serving.Certificates;
using Cairn.Serving.Files;

namespace Cairn.Server.Hosting;

/// <summary>How a control plane is started.</summary>
public sealed class ServerOptions
{
    /// <summary>The folder of everything it keeps: rows (with SQLite), logs, blobs, keys. Made where missing, mode 0700.</summary>
    public required string DataFolder { get; init; }

    /// <summary>Null keeps rows in SQLite in the data folder; a <c>postgres://</c> address lets several servers share them.</summary>
    public string? Database { get; init; }

    /// <summary>Where the REST API listens. Default 127.0.0.1:7070; port 0 takes a free one.</summary>
    public IPEndPoint Http { get; init; } = new(IPAddress.Loopback, 7070);

    /// <summary>Where nodes dial in, always over TLS. Default 127.0.0.1:7071; port 0 takes a free one, which join tokens then name: nodes do not find it again after a restart.</summary>
    public IPEndPoint Grpc { get; init; } = new(IPAddress.Loopback, 7071);

    /// <summary>Certificates for what <see cref="Http"/> answers; some are needed to listen beyond loopback. Default none, which is plain HTTP.</summary>
    public CertificateOptions Tls { get; init; } = new();

    /// <summary>Where the plain port for ACME's questions is; null with ACME takes port 80 of the address of <see cref="Http"/>. Not opened without ACME.</summary>
    public IPEndPoint? AcmeHttp { get; init; }

    /// <summary>The host name or address that join tokens carry; null takes the address of <see cref="Grpc"/>, or the host's name where that is any address.</summary>
    public string? PublicName { get; init; }

    /// <summary>The market's share of compute in percent, 0 to 50. Default 0: one's own machines cost no fee.</summary>
    public decimal FeePercent { get; init; }

    /// <summary>How often a node speaks when it has nothing to say, in seconds; 1 to 300. Default 10.</summary>
    public int HeartbeatSeconds { get; init; } = 10;

    /// <summary>Silence after which a node takes no new work, in seconds; more than the heartbeat. Default 30.</summary>
    public int UnhealthyAfterSeconds { get; init; } = 30;

    /// <summary>Silence after which a node's leases are void and its work goes elsewhere, in seconds; more than <see cref="UnhealthyAfterSeconds"/>. Default 60.</summary>
    public int LostAfterSeconds { get; init; } = 60;

    /// <summary>Whether the gateway dials replicas at the address that their node gives, instead of through the node's tunnel. Default false.</summary>
    public bool DirectReplicas { get; init; }

    /// <summary>How batches of requests are run.</summary>
    public BatchOptions Batches { get; init; } = new();

    /// <summary>What clients may keep below <c>/v1/files</c>.</summary>
    public FilesOptions Files { get; init; } = new();

    /// <summary>Every mistake at once, in words; empty when all is well.</summary>
    public IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        if (string.IsNullOrWhiteSpace(DataFolder))
            errors.Add("The data folder is empty; name one with --data.");
        if (!IPAddress.IsLoopback(Http.Address) && !Tls.IsGiven)
        {
            errors.Add($"--http {Http} is beyond loopback, where keys would travel in the clear; give --tls-certificate and --tls-key, --tls-folder or --acme, "
                + "or put a TLS proxy in front and listen on 127.0.0.1.");
        }
        errors.AddRange(Tls.Validate());
        if (Tls.Acme is { Names.Count: 0 })
            errors.Add("--acme asks for a certificate of the server's name; give it with --public-name.");

        if (FeePercent is < 0 or > 50)
            errors.Add($"The fee is {FeePercent} %; expected 0 to 50.");
        errors.AddRange(Silence().Validate());
        errors.AddRange(Batches.Validate());
        errors.AddRange(Files.Validate());
        if (Http.Port != 0 && Http.Equals(Grpc))
            errors.Add($"--http and --grpc are both {Http}; they need two ports.");
        return errors;
    }

    internal NodeOptions Silence() => new()
    {
        HeartbeatSeconds = HeartbeatSeconds, UnhealthyAfterSeconds = UnhealthyAfterSeconds, LostAfterSeconds = LostAfterSeconds,
    };
}
