using Cairn.Planning.Scheduling;
using CsCheck;
using static Cairn.Planning.Tests.Scheduling.Requests;

namespace Cairn.Planning.Tests.Scheduling;

public sealed class SchedulerProperties
{
    private static readonly Gen<NodeShape> s_node =
        from gpus in Gen.Int[0, 4]
        from extra in Gen.Int[0, 2]
        from nodeClass in OneOf("a", "b")
        from domain in OneOf("", "d", "e")
        from cpus in Gen.Int[1, 6]
        from memory in Gen.Int[1, 6]
        from label in OneOf<string?>(null, "red", "blue")
        select WithExtra(Node(gpus, nodeClass, domain, cpus, memory, label), extra);

    private static readonly Gen<PlacementShape> s_shape =
        from gpus in OneOf<double>(0, 0.25, 0.4, 0.5, 1, 2, 3, 4)
        from tasks in Gen.Int[1, 3]
        from classes in OneOf("a", "b", "a,b", "b,a")
        from cpus in Gen.Int[0, 3]
        from flags in Gen.Int[0, 7]
        from label in OneOf(null, null, "red")
        select Shape(gpus, tasks, classes, cpus, (flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0, label);

    private static readonly Gen<Step> s_step =
        Gen.Select(Gen.Int[0, 13], Gen.Int[0, 1000], s_node, s_shape)
            .Select((kind, which, node, shape) => new Step(kind, which, node, shape));

    private static readonly SchedulerOptions s_none = new() { MaxReservations = 0 };
    private static readonly SchedulerOptions s_soon = new() { ReserveAfterMicros = 1000 };

    [Fact]
    public void Nothing_is_ever_over_committed_and_whoever_waits_really_does_not_fit() =>
        s_step.Array[1, 40].Sample(steps => Play(steps, s_none, waitersMustNotFit: true), iter: 600);

    [Fact]
    public void Reservations_never_over_commit_and_are_gone_when_nobody_waits() =>
        s_step.Array[1, 60].Sample(steps => Play(steps, s_soon, waitersMustNotFit: false), iter: 600);

    [Fact]
    public void Equal_calls_give_equal_decisions() =>
        s_step.Array[1, 40].Sample(steps =>
            Assert.Equal(Play(steps, s_soon, false), Play(steps, s_soon, false)),
            iter: 150);

    [Fact]
    public void An_empty_queue_refuses_a_request_only_where_no_placement_exists() =>
        Gen.Select(s_node.Array[1, 4], s_shape, s_shape).Sample((nodes, before, shape) =>
        {
            var (state, model) = (new SchedulerState(), new NaiveModel());
            foreach (var node in nodes)
                model.Set(state.AddNode(node), node, true);
            Place(state, model, Request(1, before));
            var expected = model.Fits(Request(2, shape));
            Assert.Equal(expected, Place(state, model, Request(2, shape)));
        }, iter: 2000);

    private static Gen<T> OneOf<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(at => values[at]);

    private static NodeShape WithExtra(NodeShape node, int count) =>
        count == 0 ? node : node with { Devices = [.. node.Devices, new DeviceShape("A100-SXM-40GB", "nvidia", 40 * Gigabyte, count)] };

    private static bool Place(SchedulerState state, NaiveModel model, PlacementRequest request)
    {
        state.Submit(request);
        var round = state.Decide(0);
        foreach (var placement in round.Placements)
            model.Accept(placement);
        return round.Placements.Count == 1 || !state.Withdraw(request.Key);
    }

    private static string Play(Step[] steps, SchedulerOptions options, bool waitersMustNotFit)
    {
        var play = new Playing(options);
        for (var at = 0; at < steps.Length; at++)
            play.Take(steps[at], at, waitersMustNotFit);
        play.End(steps.Length);
        return play.Story;
    }
}
