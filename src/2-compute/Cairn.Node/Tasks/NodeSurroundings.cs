using Cairn.Contracts.Wire;
using Cairn.Node.Files;
using Cairn.Node.Link;
using Cairn.Node.Native;
using Cairn.Node.Processes;
using Microsoft.Extensions.Logging;

namespace Cairn.Node.Tasks;

/// <summary>What all tasks of a node share.</summary>
internal sealed record NodeSurroundings
{
    public required NodeOptions Options { get; init; }

    public required string NodeName { get; init; }

    public required string ControlRoot { get; init; }

    public required string WorkRoot { get; init; }

    public required TimeProvider Clock { get; init; }

    public required string BootId { get; init; }

    public required ServerLink Link { get; init; }

    public required LeaseStamps Leases { get; init; }

    public required FolderWatch Watch { get; init; }

    public required CgroupTree Cgroups { get; init; }

    public required TaskUsers Users { get; init; }

    public required BlobLink Blobs { get; init; }

    public required BlobCache Cache { get; init; }

    public required IReadOnlyList<Device> Devices { get; init; }

    public required ILogger Logger { get; init; }

    public IFrameworkRecipes? Frameworks { get; init; }
}
