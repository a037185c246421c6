using System.Runtime.CompilerServices;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Routing;

namespace Cairn.Serving.Tests.Gateway;

public sealed class Requests_are_remembered
{
    private static readonly DateTimeOffset s_now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly RequestIds _ids = new();

    [Fact]
    public void One_under_way_is_seen_as_it_is()
    {
        var log = new DecisionLog(2);
        var record = Record();
        using var underWay = log.Begin(record);
        record.Status = 200;
        Assert.Same(record, log.Find(record.Id));
    }

    [Fact]
    public void One_that_is_over_says_what_it_said_at_its_end()
    {
        var (log, record) = (new DecisionLog(2), Record());
        var decision = new RouteDecision { Outcome = RouteOutcome.Chosen, CandidateCount = 2, Chosen = 1 };
        decision.Candidates[1].Queue = 7;
        using (log.Begin(record))
        {
            record.Attempts.Add(new AttemptRecord("revision 3", decision, null) { Outcome = "answered" });
            (record.PromptTokens, record.PromptBlocks, record.HeldMs, record.Status) = (12, 1, 0.5, 200);
            (record.Cost, record.Usage) = (new Money(9), new TokenUsage(12, 4, 5));
        }
        var told = log.Find(record.Id);
        Assert.NotNull(told);
        Assert.Equal((record.Id, record.Project, "key", "tiny", s_now), (told.Id, told.Project, told.Key, told.Model, told.At));
        Assert.Equal((12, 1, 0.5, 200, null), (told.PromptTokens, told.PromptBlocks, told.HeldMs, told.Status, told.Error));
        Assert.Equal((new Money(9), new TokenUsage(12, 4, 5)), (told.Cost, told.Usage));
        var attempt = Assert.Single(told.Attempts);
        Assert.Equal(("revision 3", "answered", 7f), (attempt.Target, attempt.Outcome, attempt.Decision!.Value.Choice.Queue));
    }

    [Fact]
    public void Every_attempt_is_told_and_so_is_a_refusal_without_one()
    {
        var (log, tried, refused) = (new DecisionLog(2), Record(), Record());
        using (log.Begin(tried))
            tried.Attempts.AddRange([new AttemptRecord("revision 1", null, null) { Outcome = "status 500" }, new AttemptRecord("elsewhere", null, null) { Outcome = "answered" }]);
        using (log.Begin(refused))
            (refused.Status, refused.Error) = (429, "The budget is spent.");
        Assert.Equal([("revision 1", "status 500"), ("elsewhere", "answered")], log.Find(tried.Id)!.Attempts.Select(a => (a.Target, a.Outcome)));
        Assert.Equal((429, "The budget is spent.", 0), (log.Find(refused.Id)!.Status, log.Find(refused.Id)!.Error, log.Find(refused.Id)!.Attempts.Count));
    }

    [Fact]
    public void The_oldest_makes_room_even_where_it_is_not_over()
    {
        var (log, slow, quick) = (new DecisionLog(1), Record(), Record());
        var underWay = log.Begin(slow);
        using (log.Begin(quick))
        {
            underWay.Dispose();
            Assert.Same(quick, log.Find(quick.Id));
        }
        Assert.Null(log.Find(slow.Id));
        Assert.NotNull(log.Find(quick.Id));
    }

    [Fact]
    public void A_log_without_room_and_a_text_that_is_no_name_find_nothing()
    {
        var (none, record) = (new DecisionLog(0), Record());
        using (none.Begin(record))
            Assert.Null(none.Find(record.Id));
        var log = new DecisionLog(1);
        Assert.Null(log.Find("req_"));
        Assert.Null(log.Find("req_" + new string('0', 24)));
    }

    /// <summary>What is made for a request would otherwise live until it is overwritten.</summary>
    [Fact]
    public void Nothing_that_was_made_for_a_request_lives_on_in_the_log()
    {
        var log = new DecisionLog(4);
        var made = EndedIn(log);
        GC.Collect();
        Assert.All(made, one => Assert.False(one.IsAlive));
        GC.KeepAlive(log);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private WeakReference[] EndedIn(DecisionLog log)
    {
        var record = Record();
        var attempt = new AttemptRecord("revision 1", new RouteDecision(), null) { Outcome = "answered" };
        record.Attempts.Add(attempt);
        log.Begin(record).Dispose();
        return [new(record), new(record.Id), new(record.Attempts), new(attempt)];
    }

    private CallRecord Record() => new(_ids.Next(), ProjectId.New(s_now), "key", "tiny", s_now);
}
