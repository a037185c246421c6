using Cairn.Contracts.Ids;
using Cairn.Contracts.Jobs;
using Cairn.Contracts.Units;
using Cairn.Fleet.Jobs;
using Cairn.Serving.Autoscaling;
using Cairn.Serving.Endpoints;
using Cairn.Serving.Rollouts;

namespace Cairn.Serving.Tests.Endpoints;

/// <summary>One turn at a time, from what jobs and probes say to what the rows shall be.</summary>
public sealed class An_endpoint_moves
{
    private static readonly DateTimeOffset s_now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly EndpointRow s_endpoint = new()
    {
        Id = EndpointId.New(s_now), Name = "tiny", Model = "tiny", Revision = 1, Wanted = 1, Scaling = new ScalingSpec(), Settings = new EndpointSettings(),
    };

    [Fact]
    public void A_new_endpoint_begins_the_replicas_that_it_wants()
    {
        var changes = Decide(s_endpoint with { Wanted = 3, Scaling = new ScalingSpec { MinReplicas = 3, MaxReplicas = 3 } });
        Assert.Equal(3, changes.Begun.Count);
        Assert.All(changes.Begun, r => Assert.Equal((ReplicaPhase.Starting, 1), (r.Phase, r.Revision)));
    }

    [Fact]
    public void A_replica_is_ready_when_its_task_runs_and_its_probe_says_so()
    {
        var starting = Replica(ReplicaPhase.Starting);
        Assert.Empty(Decide(s_endpoint, starting with { Probe = new ProbeResult(false, "it answers 503", 0) }).Events);
        Assert.Equal(ReplicaPhase.Starting, Phase(Decide(s_endpoint, starting with { Task = Task(TaskState.Preparing), Probe = new ProbeResult(true, null, 1) }), starting));
        var changes = Decide(s_endpoint with { FailedStarts = 2 }, starting with { Probe = new ProbeResult(true, null, 1) });
        Assert.Equal((ReplicaPhase.Ready, 0), (Phase(changes, starting), changes.Endpoint.FailedStarts));
        Assert.Equal("replica_ready", Assert.Single(changes.Events).Kind);
    }

    [Fact]
    public void A_replica_that_moved_to_another_machine_starts_anew()
    {
        var ready = Replica(ReplicaPhase.Ready);
        var moved = ready with { Task = Task(TaskState.Running) with { Task = TaskId.New(s_now.AddSeconds(1)) } };
        var changes = Decide(s_endpoint, moved);
        Assert.Equal(ReplicaPhase.Starting, Phase(changes, moved));
        Assert.Null(changes.Replicas[0].ReadyAt);
        Assert.Empty(changes.Begun);
    }

    [Fact]
    public void A_replica_whose_jobs_end_is_not_durable_yet_stays_what_it_is_and_is_lost_when_it_is()
    {
        var between = Replica(ReplicaPhase.Ready) with { Task = null, Known = false };
        var changes = Decide(s_endpoint, between);
        Assert.Equal((ReplicaPhase.Ready, 0, 0), (Phase(changes, between), changes.Replicas.Count, changes.Begun.Count));
        var after = Decide(s_endpoint, between with { Known = true, End = "The node was lost." });
        Assert.Equal(("replica_lost", 1, 0), (after.Events[0].Kind, after.Begun.Count, after.Endpoint.FailedStarts));
    }

    [Fact]
    public void A_lost_replica_is_replaced_and_a_failed_start_is_counted_and_rested_after()
    {
        var lost = Decide(s_endpoint, Replica(ReplicaPhase.Ready) with { End = "The node was lost." });
        Assert.Equal(("replica_lost", 1, 0), (lost.Events[0].Kind, lost.Begun.Count, lost.Endpoint.FailedStarts));
        var failed = Decide(s_endpoint, Replica(ReplicaPhase.Starting) with { End = "The program ended with exit code 1." });
        Assert.Equal(("replica_failed", 0, 1), (failed.Events[0].Kind, failed.Begun.Count, failed.Endpoint.FailedStarts));
        Assert.Contains("exit code 1", failed.Events[0].Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_replica_whose_job_was_accepted_a_moment_ago_is_not_taken_for_ended()
    {
        var submitted = Replica(ReplicaPhase.Starting) with { Task = null };
        var changes = Decide(s_endpoint, submitted);
        Assert.Equal(ReplicaPhase.Starting, Phase(changes, submitted));
        Assert.Empty(changes.Begun);
    }

    [Fact]
    public void Stopping_ends_when_the_last_replica_has_ended()
    {
        var stopping = s_endpoint with { Phase = EndpointPhase.Stopping };
        var ready = Replica(ReplicaPhase.Ready);
        Assert.Equal(ReplicaPhase.Draining, Phase(Decide(stopping, ready), ready));
        var draining = Replica(ReplicaPhase.Draining) with { InFlight = 1 };
        Assert.False(Decide(stopping, draining).Ended);
        Assert.True(Decide(stopping, Replica(ReplicaPhase.Stopping) with { End = "stopped" }).Ended);
    }

    [Fact]
    public void A_rollout_that_never_starts_goes_back_to_the_revision_before()
    {
        var rolling = s_endpoint with { Revision = 2, Previous = 1, FailedStarts = 2, FailedAt = s_now };
        var changes = Decide(rolling, Replica(ReplicaPhase.Ready), Replica(ReplicaPhase.Starting, 2) with { End = "exit code 1" });
        Assert.True(changes.WentBack);
        Assert.Equal((1, (int?)null, 0), (changes.Endpoint.Revision, changes.Endpoint.Previous, changes.Endpoint.FailedStarts));
        Assert.Contains(changes.Events, e => e.Kind == "rolled_back");
    }

    [Fact]
    public void A_base_of_replicas_begins_where_nothing_is_taken_away_and_is_made_up_when_it_is_lost()
    {
        var splits = new Dictionary<int, OnDemandSplit> { [1] = new(1, 0, Mixes: true) };
        var three = s_endpoint with { Wanted = 3, Scaling = new ScalingSpec { MinReplicas = 3, MaxReplicas = 3 } };
        var begun = DecideSeen(new EndpointSeen(three, [], default, default, s_now) { Splits = splits });
        Assert.Equal([true, false, false], begun.Begun.Select(r => r.OnDemand));
        var stays = Replica(ReplicaPhase.Ready) with { End = "The node was lost." };
        stays = stays with { Row = stays.Row with { OnDemand = true } };
        var lost = DecideSeen(new EndpointSeen(three, [stays, Replica(ReplicaPhase.Ready), Replica(ReplicaPhase.Ready)], default, default, s_now) { Splits = splits });
        Assert.True(Assert.Single(lost.Begun).OnDemand);
    }

    [Fact]
    public void A_replica_that_never_answers_in_its_time_is_stopped_and_counted()
    {
        var starting = Replica(ReplicaPhase.Starting) with { StartWithin = TimeSpan.FromMinutes(10) };
        var early = starting with { Probe = new ProbeResult(false, "it answers 503", 0) { Probed = TimeSpan.FromMinutes(9) } };
        Assert.Empty(Decide(s_endpoint, early).Events);
        var late = starting with { Probe = new ProbeResult(false, "it answers 503", 0) { Probed = TimeSpan.FromMinutes(10) } };
        var changes = Decide(s_endpoint, late);
        Assert.Equal((ReplicaPhase.Stopping, 1), (Phase(changes, late), changes.Endpoint.FailedStarts));
        Assert.Contains("it answers 503", Assert.Single(changes.Events).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_to_do_changes_nothing()
    {
        var ready = Replica(ReplicaPhase.Ready);
        Assert.True(Decide(s_endpoint, ready).IsNothing(s_endpoint));
    }

    private static EndpointChanges Decide(EndpointRow row, params ReplicaSeen[] replicas) => DecideSeen(new EndpointSeen(row, replicas, default, default, s_now));

    private static EndpointChanges DecideSeen(EndpointSeen seen)
    {
        var load = new LoadHistory(TimeSpan.FromMinutes(5));
        load.Observe(s_now.AddSeconds(-100), new Load(1, 0, 0));
        return EndpointTurn.Decide(seen, load, ScalingMemory.None, new RolloutOptions(), Guid.NewGuid, s_now);
    }

    private static ReplicaPhase Phase(EndpointChanges changes, ReplicaSeen replica) =>
        changes.Replicas.FirstOrDefault(r => r.Id == replica.Row.Id)?.Phase ?? replica.Row.Phase;

    private static ReplicaSeen Replica(ReplicaPhase phase, int revision = 1)
    {
        var task = Task(TaskState.Running);
        var row = new ReplicaRow
        {
            Id = Guid.NewGuid(), EndpointId = s_endpoint.Id, Revision = revision, JobId = JobId.New(s_now), TaskId = task.Task, Phase = phase, Since = s_now,
            MadeAt = s_now.AddSeconds(-10), ReadyAt = phase == ReplicaPhase.Starting ? null : s_now,
        };
        return new ReplicaSeen(row, null, false, task, null, 0);
    }

    private static LiveTaskView Task(TaskState state) =>
        new(TaskId.New(s_now), NodeId.New(s_now), "node", "127.0.0.1", "own", "local", null, state, HourlyPrice.FromUsd(1), false);
}
