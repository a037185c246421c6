namespace Cairn.Serving.Batches;

/// <summary>What decides whether one more line may go to a model now.</summary>
/// <param name="HasReplicas">Whether the model is served here; providers outside have limits of their own.</param>
/// <param name="Ready">Replicas that take requests.</param>
/// <param name="Waiting">Requests that wait for a replica.</param>
/// <param name="InFlight">Requests that the ready replicas have.</param>
/// <param name="Capacity">Requests that they may have at once; 0 where one of them sets no limit.</param>
/// <param name="Running">Lines among the requests under way.</param>
internal readonly record struct PaceFacts(bool HasReplicas, int Ready, int Waiting, int InFlight, int Capacity, int Running);

/// <summary>Keeps lines below everybody else's requests; pure.</summary>
internal static class BatchPace
{
    /// <summary>
    /// A line goes only where nobody waits, and never takes the last eighth of a capacity. Where no replica is ready, one line alone goes
    /// and wakes the endpoint by waiting.
    /// </summary>
    public static bool HasRoom(PaceFacts facts, int linesPerReplica)
    {
        if (!facts.HasReplicas)
            return true;
        if (facts.Ready == 0)
            return facts.Running == 0;
        if (facts.Waiting > 0)
            return false;
        // A line that was let go and is not at its replica yet counts as well.
        return facts.Capacity > 0 ? Math.Max(facts.InFlight, facts.Running) < Math.Max(1, facts.Capacity - (facts.Capacity + 7) / 8) : facts.Running < linesPerReplica * facts.Ready;
    }
}
