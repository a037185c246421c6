using Cairn.Contracts.Ids;

namespace Cairn.Node;

/// <summary>What became of joining.</summary>
/// <param name="TaskUser">Who runs tasks: dedicated, self, or a user's name.</param>
/// <param name="TaskLimits">What cgroups hold tasks to; empty where there are none.</param>
public sealed record NodeStanding(NodeId NodeId, string Name, string Server, string TaskUser, IReadOnlyList<string> TaskLimits);
