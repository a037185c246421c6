using System.Threading.Channels;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Snapshots;

namespace Cairn.Serving.Batches;

/// <summary>
/// Runs lines: (1) waits for room below everybody else's requests, (2) asks the gateway in the key's name, (3) asks again later where
/// that helps. What is under way when the process dies has no result and runs again.
/// </summary>
internal sealed class BatchLines(InnerCalls gateway, BatchPacer pacer, BatchOptions options, TimeProvider time)
{
    private static readonly CallError s_stream = CallError.Invalid("Streaming is not supported in the Batch API.", "stream");

    /// <summary>Runs lines until there are none, or <paramref name="stop"/> says that no further one is begun.</summary>
    /// <param name="keep">Keeps a result, durably.</param>
    /// <param name="cut">Ends also what is under way.</param>
    public async Task RunAsync(BatchRow batch, IAsyncEnumerable<BatchLine> lines, Func<LineResult, Task> keep, CancellationToken stop, CancellationToken cut)
    {
        var queue = Channel.CreateBounded<BatchLine>(options.LinesAtOncePerBatch);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stop, cut);
        var workers = Enumerable.Range(0, options.LinesAtOncePerBatch).Select(_ => WorkAsync(batch, queue.Reader, keep, over, cut)).ToList();
        try
        {
            await foreach (var line in lines.WithCancellation(over.Token))
                await queue.Writer.WriteAsync(line, over.Token);
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
            // Workers end by themselves; what waits in the queue is not begun.
        }
        finally
        {
            queue.Writer.TryComplete();
            await Task.WhenAll(workers);
        }
    }

    private async Task WorkAsync(BatchRow batch, ChannelReader<BatchLine> lines, Func<LineResult, Task> keep, CancellationTokenSource over, CancellationToken cut)
    {
        try
        {
            await foreach (var line in lines.ReadAllAsync(over.Token))
            {
                if (await AskAsync(batch, line, over.Token, cut) is { } result)
                    await keep(result);
            }
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
            // No further line is begun.
        }
        catch
        {
            await over.CancelAsync();
            throw;
        }
    }

    private async Task<LineResult?> AskAsync(BatchRow batch, BatchLine line, CancellationToken stop, CancellationToken cut)
    {
        if (line.Streams)
            return BatchAnswers.Refused(batch, line, s_stream);
        var kind = BatchKinds.Of(batch.Endpoint);
        for (var tries = 1; ; tries++)
        {
            // (1), (2)
            InnerAnswer answer;
            using (await pacer.EnterAsync(new ModelName(batch.ProjectId, line.Model), stop))
                answer = await gateway.AskAsync(kind, new InnerCall(batch.KeyId, options.DiscountPercent), line.Body, options.MostAnswerBytes, cut);

            // (3)
            if (LineTurn.NextTry(answer, tries, batch.ExpiresAt - time.GetUtcNow()) is not { } wait)
                return BatchAnswers.Of(batch, line, answer);
            await Task.Delay(wait, time, stop);
        }
    }
}

/// <summary>What a batch's endpoint is to the gateway.</summary>
internal static class BatchKinds
{
    private static readonly CallKind[] s_all = [CallKind.Chat, CallKind.Completion, CallKind.Embedding, CallKind.Response];

    public static IEnumerable<string> Paths => s_all.Select(k => k.Path);

    public static CallKind Of(string endpoint) =>
        Array.Find(s_all, k => k.Path == endpoint) ?? throw new ArgumentException($"'{endpoint}' is no endpoint of batches; expected one of {string.Join(", ", Paths)}.", nameof(endpoint));
}
