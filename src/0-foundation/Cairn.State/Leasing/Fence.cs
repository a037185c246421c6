namespace Cairn.State;

/// <summary>
/// Proof that a lease was got: an action under it names the epoch, and <see cref="WriteSession.RequireFence"/> refuses it once
/// another holder has the lease. Clocks decide when a lease may be taken over; the epoch alone decides who may write.
/// </summary>
public sealed record Fence(string Name, string Holder, long Epoch);

/// <summary>The lease went to another holder: whoever acted under it must stop.</summary>
public sealed class FenceLostException(Fence fence)
    : Exception($"The lease {fence.Name} is no longer held by {fence.Holder} under epoch {fence.Epoch}; the work was refused.")
{
    public Fence Fence { get; } = fence;
}
