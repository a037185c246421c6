using Cairn.Contracts.Api;
using Cairn.Contracts.Ids;
using Cairn.Serving.Gateways;
using Microsoft.Extensions.Time.Testing;

namespace Cairn.Serving.Tests.Alone;

public sealed class A_request_elsewhere_is_explained
{
    private const string Id = "req_0123456789abcdef01234567";
    private static readonly DateTimeOffset s_now = new(2026, 3, 4, 12, 30, 0, TimeSpan.Zero);
    private readonly FakeTimeProvider _time = new(s_now);
    private readonly GatewayBoard _board;
    private readonly Guid _one = Guid.CreateVersion7(s_now);
    private readonly Guid _two = Guid.CreateVersion7(s_now.AddSeconds(1));

    public A_request_elsewhere_is_explained() => _board = new GatewayBoard(_time);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task By_the_gateway_that_knows_it_and_under_its_name()
    {
        using var explanations = new ExplanationsElsewhere(_board, _time);
        var (project, lines) = (ProjectId.New(s_now), new[] { _board.Sit(_one), _board.Sit(_two) });
        _board.Seen([new GatewayRow { Id = _two, Name = "edge-2", SeenAt = s_now }]);
        var asked = explanations.AskAsync(Id, Token);
        foreach (var seat in lines)
            Assert.Equal(Id, (await seat.Lines.Reader.ReadAsync(Token)).Explain);

        explanations.Take(new ExplanationReport { Gateway = _one, Id = Id });
        explanations.Take(new ExplanationReport { Gateway = _two, Id = "req_ffffffffffffffff01234567", Project = project, Request = View() });
        Assert.False(asked.IsCompleted);
        explanations.Take(new ExplanationReport { Gateway = _two, Id = Id, Project = project, Request = View() });

        var (whose, request) = await asked;
        Assert.Equal((project, "edge-2", "tiny"), (whose, request!.Gateway, request.Model));
    }

    [Fact]
    public async Task And_by_nobody_where_all_say_that_they_do_not_know_or_one_is_silent_for_long()
    {
        using var explanations = new ExplanationsElsewhere(_board, _time);
        Assert.Null((await explanations.AskAsync(Id, Token)).Request);
        _board.Sit(_one);
        _board.Sit(_two);
        Assert.Null((await explanations.AskAsync("nonsense", Token)).Request);

        var asked = explanations.AskAsync(Id, Token);
        explanations.Take(new ExplanationReport { Gateway = _one, Id = Id });
        explanations.Take(new ExplanationReport { Gateway = _one, Id = Id });
        Assert.False(asked.IsCompleted);
        explanations.Take(new ExplanationReport { Gateway = _two, Id = Id });
        Assert.Null((await asked).Request);

        asked = explanations.AskAsync(Id, Token);
        _time.Advance(TimeSpan.FromSeconds(6));
        Assert.Null((await asked).Request);
    }

    private static RequestView View() => new() { Id = Id, At = s_now, Model = "tiny", Key = "app", Attempts = [] };
}
