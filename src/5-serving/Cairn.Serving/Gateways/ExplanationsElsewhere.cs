using System.Collections.Concurrent;
using Cairn.Contracts.Api;
using Cairn.Contracts.Ids;
using Cairn.Serving.Gateway.Calls;

namespace Cairn.Serving.Gateways;

/// <summary>
/// Asks the gateways that follow this server how they dealt with a request. One that knows it answers for all; where all say that they do
/// not, or are silent for long, nobody knows. Safe for concurrent use.
/// </summary>
internal sealed class ExplanationsElsewhere(GatewayBoard board, TimeProvider time) : IDisposable
{
    private const int MostAtOnce = 16;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);
    private readonly SemaphoreSlim _turns = new(MostAtOnce);
    private readonly ConcurrentDictionary<Question, bool> _open = new();

    /// <returns>Nothing where no gateway that is connected knows it.</returns>
    public async Task<(ProjectId Project, RequestView? Request)> AskAsync(string id, CancellationToken cancellationToken)
    {
        if (!RequestIds.IsOne(id))
            return default;
        await _turns.WaitAsync(cancellationToken);
        var question = new Question(id, board.Connected);
        try
        {
            _open[question] = true;
            foreach (var gateway in question.Asked)
                board.Tell(gateway, new FeedLine { Explain = id });
            if (question.Asked.Count == 0)
                return default;
            return await question.Answer.WaitAsync(s_patience, time, cancellationToken) is { Project: { } project, Request: { } request } told
                ? (project, request with { Gateway = board.NameOf(told.Gateway) }) : default;
        }
        catch (TimeoutException)
        {
            return default;
        }
        finally
        {
            _open.TryRemove(question, out _);
            _turns.Release();
        }
    }

    /// <summary>A gateway has answered.</summary>
    public void Take(ExplanationReport told)
    {
        foreach (var question in _open.Keys.Where(question => question.Id == told.Id))
            question.Take(told);
    }

    public void Dispose() => _turns.Dispose();

    /// <summary>One who waits.</summary>
    private sealed class Question(string id, IReadOnlyCollection<Guid> asked)
    {
        private readonly TaskCompletionSource<ExplanationReport?> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly ConcurrentDictionary<Guid, bool> _silent = new(asked.Select(gateway => KeyValuePair.Create(gateway, true)));

        public string Id { get; } = id;

        public IReadOnlyCollection<Guid> Asked { get; } = asked;

        public Task<ExplanationReport?> Answer => _answer.Task;

        public void Take(ExplanationReport told)
        {
            _silent.TryRemove(told.Gateway, out _);
            if (told.Request is not null)
                _answer.TrySetResult(told);
            else if (_silent.IsEmpty)
                _answer.TrySetResult(null);
        }
    }
}
