namespace Cairn.Serving.Rollouts;

/// <summary>One thing to do.</summary>
internal abstract record RolloutStep
{
    public sealed record Start(int Revision) : RolloutStep;

    public sealed record Drain(Guid Replica) : RolloutStep;

    public sealed record Stop(Guid Replica) : RolloutStep;

    /// <summary>The rollout or canary is taken back.</summary>
    public sealed record GoBack(int From, string Why) : RolloutStep;
}

/// <summary>
/// Decides what replicas begin and end, pure: (1) what has drained stops; (2) a revision that never gets ready, or a canary that does
/// worse, is taken back; (3) every revision gets its number, new ones first and within the surge; (4) old ones leave only as new ones are
/// ready. So an endpoint never has fewer ready replicas than wanted because of a rollout, but for one: where there is no room for a new
/// replica beside the old ones, one of several old ones makes room.
/// </summary>
internal static class RolloutDecision
{
    public static IReadOnlyList<RolloutStep> Decide(RolloutFacts facts, RolloutOptions options, DateTimeOffset now)
    {
        var steps = new List<RolloutStep>();

        // (1)
        foreach (var replica in facts.Replicas.Where(r => r.Phase == ReplicaPhase.Draining))
        {
            if ((replica.InFlight == 0 && now - replica.Since >= options.DrainPause) || now - replica.Since >= options.DrainTime)
                steps.Add(new RolloutStep.Stop(replica.Id));
        }
        if (facts.Stopping)
        {
            steps.AddRange(Live(facts).Select(Leave));
            return steps;
        }

        // (2)
        if (TakenBack(facts, options) is { } back)
        {
            steps.Add(back);
            return steps;
        }

        // (3)
        var numbers = Numbers(facts);
        var total = Live(facts).Count();
        var most = numbers.Values.Sum() + options.Surge;
        var resting = facts.FailedStarts > 0 && facts.LastFailure is { } last && now - last < Rest(facts.FailedStarts, options);
        foreach (var (revision, number) in numbers.OrderByDescending(n => n.Key))
        {
            for (var live = Live(facts).Count(r => r.Revision == revision); live < number && total < most && !resting; live++, total++)
                steps.Add(new RolloutStep.Start(revision));
        }

        // (4)
        var ready = facts.Replicas.Count(r => r.Phase == ReplicaPhase.Ready);
        var mayLeave = ready - facts.Wanted + (facts.NoRoom && ready > 1 && ready == facts.Wanted ? 1 : 0);
        foreach (var replica in numbers.SelectMany(n => Excess(facts, n.Key, n.Value)).Concat(Retired(facts, numbers)))
        {
            if (replica.Phase == ReplicaPhase.Starting || mayLeave-- > 0)
                steps.Add(Leave(replica));
        }
        return steps;
    }

    /// <summary>How the requests are shared, by revision, in percent.</summary>
    public static IReadOnlyDictionary<int, int> Weights(RolloutFacts facts)
    {
        var ready = facts.Replicas.Where(r => r.Phase == ReplicaPhase.Ready).Select(r => r.Revision).ToHashSet();
        if (facts.Canary is { } canary && ready.Contains(canary))
            return new Dictionary<int, int> { [facts.Revision] = 100 - facts.CanaryPercent, [canary] = facts.CanaryPercent };
        // During a rollout old and new share by how many of each are ready.
        var counts = facts.Replicas
            .Where(r => r.Phase == ReplicaPhase.Ready && r.Revision != facts.Canary)
            .GroupBy(r => r.Revision)
            .ToDictionary(g => g.Key, g => g.Count());
        return counts.Count == 0 ? new Dictionary<int, int> { [facts.Revision] = 100 } : counts;
    }

    private static RolloutStep.GoBack? TakenBack(RolloutFacts facts, RolloutOptions options)
    {
        var newest = facts.Canary ?? facts.Revision;
        var everReady = facts.Replicas.Any(r => r.Revision == newest && r.Phase is ReplicaPhase.Ready);
        if (facts.FailedStarts >= options.FailedStartsToGoBack && !everReady && (facts.Canary is not null || facts.Previous is not null))
            return new RolloutStep.GoBack(newest, $"revision {newest} failed to start {facts.FailedStarts} times");
        if (facts.Canary is not { } canary || facts.CanaryHealth.Requests < options.CanaryRequests)
            return null;
        var (worse, stable) = (facts.CanaryHealth, facts.StableHealth);
        if (worse.FailureShare > stable.FailureShare + options.CanaryFailureMargin)
        {
            return new RolloutStep.GoBack(canary,
                $"{worse.FailureShare:P0} of revision {canary}'s requests failed, of revision {facts.Revision}'s {stable.FailureShare:P0}");
        }
        if (stable is { Requests: > 0, P90FirstTokenMs: { } before } && worse.P90FirstTokenMs is { } after
            && after > before * options.CanaryLatencyFactor)
        {
            return new RolloutStep.GoBack(canary, $"revision {canary}'s time to first token is {after:0} ms at the 90th percentile, "
                + $"revision {facts.Revision}'s {before:0} ms");
        }
        return null;
    }

    /// <summary>Replicas per revision: a canary has its share of the number, and at least one.</summary>
    private static Dictionary<int, int> Numbers(RolloutFacts facts)
    {
        if (facts.Canary is not { } canary || facts.Wanted == 0)
            return new Dictionary<int, int> { [facts.Revision] = facts.Wanted };
        var share = Math.Max(1, (int)Math.Round(facts.Wanted * facts.CanaryPercent / 100.0));
        return new Dictionary<int, int> { [facts.Revision] = Math.Max(1, facts.Wanted - share), [canary] = share };
    }

    /// <summary>
    /// Those beyond a revision's number: what still starts first, then who has the least to do; last those that are the floor where
    /// nothing is taken away.
    /// </summary>
    private static IEnumerable<ReplicaFact> Excess(RolloutFacts facts, int revision, int number)
    {
        var live = Live(facts).Where(r => r.Revision == revision).ToList();
        var floor = live
            .Where(r => r.OnDemand)
            .OrderBy(r => r.Phase == ReplicaPhase.Ready ? 0 : 1).ThenByDescending(r => r.InFlight).ThenBy(r => r.Since)
            .Take(facts.Splits.GetValueOrDefault(revision).Of(number))
            .Select(r => r.Id)
            .ToHashSet();
        return live
            .OrderBy(r => floor.Contains(r.Id)).ThenBy(r => r.Phase == ReplicaPhase.Starting ? 0 : 1)
            .ThenBy(r => r.InFlight).ThenByDescending(r => r.Since)
            .Take(Math.Max(0, live.Count - number));
    }

    /// <summary>Replicas of revisions that shall have none, those with the least to do first.</summary>
    private static IEnumerable<ReplicaFact> Retired(RolloutFacts facts, Dictionary<int, int> numbers) =>
        Live(facts).Where(r => !numbers.ContainsKey(r.Revision)).OrderBy(r => r.InFlight);

    /// <summary>A replica that was never ready has nothing to drain.</summary>
    private static RolloutStep Leave(ReplicaFact replica) =>
        replica.Phase == ReplicaPhase.Starting ? new RolloutStep.Stop(replica.Id) : new RolloutStep.Drain(replica.Id);

    private static IEnumerable<ReplicaFact> Live(RolloutFacts facts) =>
        facts.Replicas.Where(r => r.Phase is ReplicaPhase.Starting or ReplicaPhase.Ready);

    private static TimeSpan Rest(int failures, RolloutOptions options) =>
        TimeSpan.FromSeconds(Math.Min(options.LongestRest.TotalSeconds, Math.Pow(2, Math.Min(failures - 1, 20))));
}
