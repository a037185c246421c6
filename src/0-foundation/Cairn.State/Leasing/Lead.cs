namespace Cairn.State;

/// <summary>One server's time as the leader of those that share a database.</summary>
/// <param name="Fence">What it writes under.</param>
/// <param name="Over">Fires when it leads no more, or may not.</param>
public sealed record Lead(Fence Fence, CancellationToken Over);
