using Cairn.Contracts.Ids;
using Cairn.Contracts.Jobs;
using Cairn.Contracts.Offers;
using Cairn.Contracts.Units;

namespace Cairn.Contracts.Api;

/// <summary>GET /api/v1/nodes and /nodes/{name or id}.</summary>
public sealed record NodeView
{
    public required NodeId Id { get; init; }

    public required string Name { get; init; }

    public required NodePhase Phase { get; init; }

    public required NodeHealth Health { get; init; }

    /// <summary>Whether its daemon has an open stream to a server.</summary>
    public bool Connected { get; init; }

    public required string Pool { get; init; }

    public required string Provider { get; init; }

    public required DeploymentModel DeploymentModel { get; init; }

    public required string Region { get; init; }

    public string? InstanceType { get; init; }

    public HourlyPrice PricePerHour { get; init; }

    /// <summary>Devices as written, such as <c>H100-SXM-80GB:8</c>.</summary>
    public string? Accelerators { get; init; }

    public double AcceleratorsTotal { get; init; }

    public double AcceleratorsFree { get; init; }

    public double CpusTotal { get; init; }

    public double CpusFree { get; init; }

    public long MemoryBytesTotal { get; init; }

    public long MemoryBytesFree { get; init; }

    public long DiskBytesTotal { get; init; }

    /// <summary>True where its devices are declared and not there.</summary>
    public bool Simulated { get; init; }

    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    public IReadOnlyList<string>? Certifications { get; init; }

    public DateTimeOffset JoinedAt { get; init; }

    public DateTimeOffset? LastSeenAt { get; init; }

    public string? DaemonVersion { get; init; }

    /// <summary>Only with one node.</summary>
    public NodeDetailView? Detail { get; init; }
}

public sealed record NodeDetailView
{
    public string? Hostname { get; init; }

    public string? OperatingSystem { get; init; }

    public string? Architecture { get; init; }

    public string? CpuModel { get; init; }

    public IReadOnlyList<string>? CpuFeatures { get; init; }

    /// <summary>Measured by the daemon; 0 where not measured.</summary>
    public double Fp32Flops { get; init; }

    public double MemoryBytesPerSecond { get; init; }

    public double DiskBytesPerSecond { get; init; }

    public IReadOnlyList<NodeTaskView>? Tasks { get; init; }
}

public sealed record NodeTaskView(TaskId Id, JobId JobId, string JobName, int Rank, TaskState State);

/// <summary>POST /api/v1/join-tokens.</summary>
public sealed record CreateJoinTokenRequest
{
    /// <summary>How long it can be used; default 24 hours, at most 90 days.</summary>
    public long ValidSeconds { get; init; } = 86_400;

    /// <summary>0 means any number of nodes.</summary>
    public int MaxUses { get; init; } = 1;

    public string? Note { get; init; }
}

/// <param name="Token">Shown once; the server keeps a hash.</param>
public sealed record JoinTokenView(JoinTokenId Id, string? Token, DateTimeOffset ExpiresAt, int MaxUses, int Uses, string? Note, bool Revoked);
