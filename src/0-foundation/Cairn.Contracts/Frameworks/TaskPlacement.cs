namespace Cairn.Contracts.Frameworks;

/// <summary>Where a task stands among the ranks of its job.</summary>
public sealed record TaskPlacement
{
    /// <summary>0 to the number of nodes less one.</summary>
    public required int Rank { get; init; }

    /// <summary>
    /// The nodes' addresses in the order of ranks; at least one. Empty text where one is not known yet, before the gang begins.
    /// </summary>
    public required IReadOnlyList<string> Addresses { get; init; }

    /// <summary>The port on rank 0's node under which the ranks meet.</summary>
    public required int MasterPort { get; init; }

    /// <summary>Processes that a launcher starts on each node: its accelerators for the task, and 1 where it has none.</summary>
    public required int SlotsPerNode { get; init; }

    /// <summary>Where the list of hosts lies that launchers read.</summary>
    public required string HostFile { get; init; }
}

/// <summary>What a framework's recipe makes of a task's placement.</summary>
/// <param name="Environment">The variables that the framework reads.</param>
/// <param name="Launch">The command that a program's name is put behind; empty where programs are started as they are.</param>
/// <param name="HostFile">What the file of hosts says.</param>
public sealed record FrameworkSetting(IReadOnlyDictionary<string, string> Environment, string Launch, string HostFile);
