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

    private static readonly Gen<(int Kind, int Which, NodeShape Node, PlacementShape Shape)> s_step =
        Gen.Select(Gen.Int[0, 13], Gen.Int[0, 1000], s_node, s_shape);

    [Fact]
    public void Nothing_is_ever_over_committed_and_whoever_waits_really_does_not_fit() =>
        s_step.Array[1, 40].Sample(steps => Play(steps, new SchedulerOptions { MaxReservations = 0 }, waitersMustNotFit: true), iter: 1500);

    [Fact]
    public void Reservations_never_over_commit_and_are_gone_when_nobody_waits() =>
        s_step.Array[1, 60].Sample(steps => Play(steps, new SchedulerOptions { ReserveAfterMicros = 1000 }, waitersMustNotFit: false), iter: 1500);

    [Fact]
    public void Equal_calls_give_equal_decisions() =>
        s_step.Array[1, 40].Sample(steps =>
            Assert.Equal(Play(steps, new SchedulerOptions { ReserveAfterMicros = 1000 }, false), Play(steps, new SchedulerOptions { ReserveAfterMicros = 1000 }, false)),
            iter: 300);

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
        }, iter: 4000);

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

    private static string Play((int Kind, int Which, NodeShape Node, PlacementShape Shape)[] steps, SchedulerOptions options, bool waitersMustNotFit)
    {
        var play = new Playing(options);
        for (var at = 0; at < steps.Length; at++)
            play.Step(steps[at], at, waitersMustNotFit);
        play.End(steps.Length);
        return play.Story;
    }

    /// <summary>One sequence of calls, held against the model after each.</summary>
    private sealed class Playing(SchedulerOptions options)
    {
        private readonly SchedulerState _state = new(options);
        private readonly NaiveModel _model = new();
        private readonly SortedDictionary<int, PlacementRequest> _waiting = [];
        private readonly Dictionary<Guid, PlacementShape> _shapes = [];

        public string Story { get; private set; } = "";

        public void Step((int Kind, int Which, NodeShape Node, PlacementShape Shape) step, int at, bool waitersMustNotFit)
        {
            var nodes = _model.Nodes.ToArray();
            switch (step.Kind)
            {
                case 0 or 1 or 2 when nodes.Length < 5:
                    _model.Set(_state.AddNode(step.Node), step.Node, true);
                    break;
                case 3 when nodes.Length > 0:
                    _state.RemoveNode(nodes[step.Which % nodes.Length]);
                    _model.Remove(nodes[step.Which % nodes.Length]);
                    break;
                case 4 when nodes.Length > 0:
                    Toggle(nodes[step.Which % nodes.Length]);
                    break;
                case 5 or 6:
                    ReleaseOne(step.Which);
                    break;
                case 8 when nodes.Length > 0:
                    Update(nodes[step.Which % nodes.Length], step.Node);
                    break;
                case 9:
                    ReplaceOneRank(step.Which, at);
                    break;
                case 7 when _waiting.Count > 0:
                    Withdraw(_waiting.Values.ElementAt(step.Which % _waiting.Count));
                    break;
                default:
                    Submit(Request(at + 1, step.Shape, priority: step.Which % 3, at: at * 500L));
                    break;
            }

            Decide(at * 500L, waitersMustNotFit);
        }

        public void End(int steps)
        {
            foreach (var request in _waiting.Values.ToArray())
                Withdraw(request);
            foreach (var key in _model.Holders.ToArray())
            {
                Assert.Equal(_model.HeldBy(key).Count(), _state.Release(key));
                _model.Release(key);
            }

            Decide(steps * 500L, false);
            Assert.Equal((0, 0, 0), (_state.HeldTasks, _state.QueuedCount, _state.ReservationCount));
            foreach (var node in _model.Nodes)
                Assert.Equal(_model.RoomOf(node), _state.RoomOf(node));
        }

        private void Toggle(int node)
        {
            var schedulable = !_model.IsSchedulable(node);
            _state.SetSchedulable(node, schedulable);
            _model.Set(node, _model.ShapeOf(node), schedulable);
        }

        /// <summary>The node may shrink below what it granted.</summary>
        private void Update(int node, NodeShape shape)
        {
            var before = _model.ShapeOf(node);
            shape = shape with { NodeClass = before.NodeClass, Domain = before.Domain };
            _state.UpdateNode(node, shape);
            _model.Set(node, shape, _model.IsSchedulable(node));
        }

        /// <summary>One task of a gang is lost; its rank is asked for again under the gang's key.</summary>
        private void ReplaceOneRank(int which, int at)
        {
            var holders = _model.Holders.Where(key => _state.Explain(key) is null && _model.HeldBy(key).Count() > 1).ToArray();
            if (holders.Length == 0)
                return;
            var key = holders[which % holders.Length];
            var lost = _model.HeldBy(key).First().Rank;
            Assert.True(_state.Release(key, lost));
            _model.Release(key, lost);
            var shape = _shapes[key];
            var one = new PlacementShape { Tasks = 1, Choices = shape.Choices, Spread = shape.Spread, SameDomain = shape.SameDomain };
            Submit(new PlacementRequest { Key = key, Shape = one, Sequence = at + 1, SubmittedAtMicros = at * 500L, Ranks = [lost] });
        }

        private void ReleaseOne(int which)
        {
            var holders = _model.Holders.ToArray();
            if (holders.Length == 0)
                return;
            _state.Release(holders[which % holders.Length]);
            _model.Release(holders[which % holders.Length]);
        }

        private void Submit(PlacementRequest request)
        {
            _state.Submit(request);
            _shapes.TryAdd(request.Key, request.Shape);
            _waiting.Add((int)request.Sequence, request);
        }

        private void Withdraw(PlacementRequest request)
        {
            Assert.True(_state.Withdraw(request.Key));
            _waiting.Remove((int)request.Sequence);
        }

        private void Decide(long now, bool waitersMustNotFit)
        {
            foreach (var placement in _state.Decide(now).Placements)
            {
                _model.Accept(placement);
                _waiting.Remove((int)placement.Request.Sequence);
                AssertNobodyWasPassed(placement.Request);
                Story += $"{placement.Request.Sequence}:{placement.Tasks.Nodes()};";
            }

            Assert.Equal(_waiting.Count, _state.QueuedCount);
            foreach (var node in _model.Nodes)
                Assert.Equal(_model.RoomOf(node), _state.RoomOf(node));
            if (waitersMustNotFit)
                Assert.All(_waiting.Values, request => Assert.False(_model.Fits(request), $"{request.Sequence} waits and fits"));
        }

        /// <summary>Within one priority and shape, first come first placed.</summary>
        private void AssertNobodyWasPassed(PlacementRequest placed) =>
            Assert.DoesNotContain(_waiting.Values, other =>
                other.Ranks is null && placed.Ranks is null && other.Sequence < placed.Sequence && other.Priority == placed.Priority && other.Shape.Equals(placed.Shape));
    }
}
