using Cairn.Frameworks.Constraining;
using Cairn.Frameworks.Engine.Hosting;
using Cairn.Frameworks.Engine.OpenAi.Requests;

namespace Cairn.Frameworks.Engine.OpenAi.Answers;

/// <summary>The generations of one request. Disposing cancels those that have not ended, so a client that leaves frees its rows.</summary>
internal sealed class RunningOutputs : IDisposable
{
    private readonly CancellationTokenSource _cancelled;

    private RunningOutputs(CancellationTokenSource cancelled) => _cancelled = cancelled;

    public IReadOnlyList<Output> All { get; private set; } = [];

    public CancellationTokenSource Cancelled => _cancelled;

    /// <exception cref="RequestRefusedException">The queue is full; nothing of the request runs.</exception>
    public static RunningOutputs Start(
        ServedLanguageModel model, OutputWork work, TimeProvider time, long began, CancellationToken cancellationToken)
    {
        var running = new RunningOutputs(CancellationTokenSource.CreateLinkedTokenSource(cancellationToken));
        try
        {
            running.All = [.. work.Prompts.SelectMany(prompt => Enumerable.Range(0, work.PerPrompt).Select(choice =>
            {
                var generation = model.Model.Start(work.Request(prompt, choice, model.Model.ContextLength), running._cancelled.Token);
                return new Output(generation.ReadAllAsync, new OutputTiming(model.Metrics, time, began));
            }))];
            model.Metrics.Choices.Record(work.PerPrompt);
            return running;
        }
        catch
        {
            running.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        _cancelled.Cancel();
        _cancelled.Dispose();
    }
}

/// <summary>What to generate: so many outputs of every prompt.</summary>
internal sealed record OutputWork(IReadOnlyList<int[]> Prompts, int PerPrompt, OutputSpec Output, Grammar? Grammar, string Caller)
{
    public GenerationRequest Request(int[] prompt, int choice, int contextLength) => new()
    {
        Prompt = prompt,
        MaximumTokens = Math.Min(Output.MaximumTokens ?? int.MaxValue, contextLength - prompt.Length),

        // One seed gives every choice its own, and all of them the same ones again.
        Sampling = Output.Sampling.Seed is { } seed ? Output.Sampling with { Seed = unchecked(seed + (ulong)choice) } : Output.Sampling,
        Stops = Output.Stops,
        Grammar = Grammar,
        Caller = Caller,
        IgnoreEnd = Output.IgnoreEnd,
        ReaderIsBrief = true,
    };
}
