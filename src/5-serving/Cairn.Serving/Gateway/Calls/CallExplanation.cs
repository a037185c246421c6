using Cairn.Contracts.Api;
using Cairn.Serving.Gateway.Routing;

namespace Cairn.Serving.Gateway.Calls;

/// <summary>Tells how a request was dealt with; pure.</summary>
internal static class CallExplanation
{
    public static RequestView Of(CallRecord record) => new()
    {
        Id = record.Id,
        At = record.At,
        Model = record.Model,
        Key = record.Key,
        Status = record.Status,
        Error = record.Error,
        PromptTokens = record.PromptTokens,
        PromptBlocks = record.PromptBlocks,
        HeldMs = Math.Round(record.HeldMs, 1),
        InputTokens = record.Usage?.Input,
        CachedTokens = record.Usage?.Cached,
        OutputTokens = record.Usage?.Output,
        EstimatedUsage = record.Usage is { Estimated: true },
        Cost = record.Cost,
        // A request under way may add to the list meanwhile.
        Attempts = [.. record.Attempts.ToArray().OfType<AttemptRecord>().Select(Attempt)],
    };

    private static RequestAttemptView Attempt(AttemptRecord attempt)
    {
        if (attempt.Decision is not { } decision)
            return new RequestAttemptView { Target = attempt.Target, Outcome = attempt.Outcome };
        return new RequestAttemptView
        {
            Target = attempt.Target,
            Outcome = attempt.Outcome,
            Decision = EnumWords.Of(decision.Outcome),
            Candidates = [.. Candidates(decision, attempt).OrderBy(c => c.Cost)],
            Unready = decision.Unready,
            Draining = decision.Draining,
            Broken = decision.Broken,
            Full = decision.Full,
            Tried = decision.Tried,
        };
    }

    private static List<RequestCandidateView> Candidates(RouteDecision decision, AttemptRecord attempt)
    {
        var candidates = new List<RequestCandidateView>(decision.CandidateCount);
        for (var i = 0; i < decision.CandidateCount; i++)
        {
            var c = decision.Candidates[i];
            var name = attempt.NameOfSlot(c.Slot) is { Length: > 0 } known ? known : $"slot {c.Slot}";
            candidates.Add(new RequestCandidateView(
                name, i == decision.Chosen, Short(c.Cost), Short(c.Prefill), Short(c.Queue), Short(c.Distance), Short(c.Adapter), Short(c.CachePressure), Short(c.Session)));
        }
        return candidates;
    }

    private static double Short(float tokens) => Math.Round(tokens, 1);
}
