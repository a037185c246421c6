using Cairn.Planning.Scheduling;
using static Cairn.Planning.Tests.Scheduling.Requests;

namespace Cairn.Planning.Tests.Scheduling;

/// <summary>One call: <paramref name="Kind"/> says which, the rest is what it may need.</summary>
internal sealed record Step(int Kind, int Which, NodeShape Node, PlacementShape Shape);

/// <summary>One sequence of calls, held against the model after each.</summary>
internal sealed class Playing(SchedulerOptions options)
{
    private readonly SchedulerState _state = new(options);
    private readonly NaiveModel _model = new();
    private readonly SortedDictionary<int, PlacementRequest> _waiting = [];
    private readonly Dictionary<Guid, PlacementShape> _shapes = [];

    public string Story { get; private set; } = "";

    public void Take(Step step, int at, bool waitersMustNotFit)
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
            other.Ranks is null && placed.Ranks is null && other.Sequence < placed.Sequence && other.Priority == placed.Priority
            && other.Shape.Equals(placed.Shape));
}
