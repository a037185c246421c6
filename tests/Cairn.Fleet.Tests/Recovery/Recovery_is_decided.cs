using Cairn.Contracts.Jobs;
using Cairn.Contracts.Workloads;
using Cairn.Fleet.Recovery;
using CsCheck;

namespace Cairn.Fleet.Tests.Recovery;

public sealed class Recovery_is_decided
{
    [Theory]
    [InlineData(0, 0, RecoveryAction.Fail)]
    [InlineData(1, 0, RecoveryAction.RestartGang)]
    [InlineData(1, 1, RecoveryAction.Fail)]
    [InlineData(3, 2, RecoveryAction.RestartGang)]
    internal void A_failure_is_tried_again_as_often_as_the_workload_says(int max, int before, RecoveryAction expected) =>
        Assert.Equal(expected, RecoveryDecision.Decide(new RetrySpec { Max = max }, Failed(EndReasons.ExitCode, 1, before)).Action);

    [Fact]
    public void Only_the_named_exit_codes_are_tried_again()
    {
        var policy = new RetrySpec { Max = 5, OnExitCodes = [3, 75] };
        Assert.Equal(RecoveryAction.RestartGang, RecoveryDecision.Decide(policy, Failed(EndReasons.ExitCode, 75, 0)).Action);
        Assert.Equal(RecoveryAction.Fail, RecoveryDecision.Decide(policy, Failed(EndReasons.ExitCode, 1, 0)).Action);
        Assert.Equal(RecoveryAction.Fail, RecoveryDecision.Decide(policy, Failed(EndReasons.OutOfMemory, null, 0)).Action);
    }

    [Theory]
    [InlineData(RestartPolicy.Gang, RecoveryAction.RestartGang)]
    [InlineData(RestartPolicy.Lost, RecoveryAction.ReplaceRanks)]
    internal void A_lost_machine_is_replaced_by_the_policy_and_counts_on_its_own(RestartPolicy restart, RecoveryAction expected)
    {
        var policy = new RetrySpec { Max = 0, MaxLost = 2, Restart = restart };
        Assert.Equal(expected, RecoveryDecision.Decide(policy, new(RankEnd.Lost, EndReasons.NodeLost, null, 9, 1)).Action);
        Assert.Equal(RecoveryAction.Fail, RecoveryDecision.Decide(policy, new(RankEnd.Lost, EndReasons.NodeLost, null, 0, 2)).Action);
        Assert.Equal(expected, RecoveryDecision.Decide(policy, new(RankEnd.Moved, EndReasons.NodeDrained, null, 9, 9)).Action);
    }

    [Fact]
    public void The_pause_doubles_and_never_passes_a_minute() => Gen.Int[0, 999].Sample(failures =>
    {
        var pause = RecoveryDecision.Decide(new RetrySpec { Max = 1000 }, Failed(EndReasons.Signal, null, failures)).DelayMicros;
        Assert.InRange(pause, 1_000_000, 60_000_000);
        Assert.Equal(Math.Min(60_000_000, 1_000_000L << Math.Min(failures, 6)), pause);
    });

    private static RecoveryFacts Failed(string reason, int? code, int before) => new(RankEnd.Failed, reason, code, before, 0);
}
