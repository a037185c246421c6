using Cairn.Serving.Files;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Pools;
using Cairn.Serving.Gateway.Snapshots;
using Cairn.State;

namespace Cairn.Serving.Batches;

/// <summary>Does one step of one batch, and writes where that led. Each can be done again after it died anywhere.</summary>
internal sealed class BatchSteps(Store store, FileShelf shelf, BatchFiles files, BatchLines lines, GatewayState gateway, BatchOptions options, TimeProvider time)
{
    /// <param name="fence">Guards every write; null where one server alone has the rows.</param>
    /// <param name="stop">No further line is begun, and the gateway's first snapshot not waited for.</param>
    /// <param name="cancellationToken">Leaves everything as it is.</param>
    public Task DoAsync(BatchRow batch, BatchStep step, BatchPhase? endsAs, Fence? fence, CancellationToken stop, CancellationToken cancellationToken) => step switch
    {
        BatchStep.Validate => ValidateAsync(batch, fence, stop, cancellationToken),
        BatchStep.Run => RunAsync(batch, fence, stop, cancellationToken),
        _ => FinishAsync(batch, endsAs!.Value, fence, cancellationToken),
    };

    private async Task ValidateAsync(BatchRow batch, Fence? fence, CancellationToken stop, CancellationToken cancellationToken)
    {
        // Without models and keys every input would be judged wrong.
        if (!await gateway.BegunAsync(time, stop))
            return;
        if (await InputAsync(batch, cancellationToken) is not { } input)
        {
            await FailAsync(batch, [InputGone(batch)], fence, cancellationToken);
            return;
        }
        var check = new BatchCheck(batch.Endpoint, options.MostLines, model => MayUse(batch, model));
        await using (var stream = await shelf.OpenAsync(input, cancellationToken))
        {
            await foreach (var line in BatchInput.ReadAsync(stream, options.MostLineBytes, cancellationToken))
            {
                if (!check.Take(line))
                    break;
            }
        }
        var errors = check.End();
        if (errors.Count > 0)
            await FailAsync(batch, errors, fence, cancellationToken);
        else
            await WriteAsync(fence, session => BatchRows.Begin(session, batch.Id, check.Model, check.Lines), cancellationToken);
    }

    private async Task RunAsync(BatchRow batch, Fence? fence, CancellationToken stop, CancellationToken cancellationToken)
    {
        if (await InputAsync(batch, cancellationToken) is not { } input)
        {
            // What has run already is still written.
            await WriteAsync(fence, session => BatchRows.Close(session, batch.Id, BatchPhase.Failed, [InputGone(batch)]), cancellationToken);
            return;
        }
        var finished = (await store.ReadAsync(session => BatchRows.Finished(session, batch.Id), cancellationToken)).ToHashSet();
        using var cut = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await using var patience = time.CreateTimer(_ => cut.Cancel(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        await using var stopped = stop.Register(() => patience.Change(options.Patience, Timeout.InfiniteTimeSpan));
        var left = files.LinesAsync(batch, input, cancellationToken).Where(line => !finished.Contains(line.Number));
        await lines.RunAsync(batch, left, result => WriteAsync(fence, session => BatchRows.Keep(session, batch.Id, result), cancellationToken), stop, cut.Token);
    }

    private async Task FinishAsync(BatchRow batch, BatchPhase end, Fence? fence, CancellationToken cancellationToken)
    {
        if (batch.Phase is not (BatchPhase.Finalizing or BatchPhase.Cancelling))
            await WriteAsync(fence, session => BatchRows.Close(session, batch.Id, end, []), cancellationToken);
        var (output, errors) = await files.WriteAsync(batch, end, await InputAsync(batch, cancellationToken), cancellationToken);
        await WriteAsync(fence, session =>
        {
            foreach (var file in new[] { output, errors }.OfType<FileRow>())
                FileRows.MarkReady(session, file.Id);
            BatchRows.End(session, batch.Id, end, output?.Id, errors?.Id);
        }, cancellationToken);
    }

    /// <summary>Null where it was deleted, or its time is over.</summary>
    private Task<FileRow?> InputAsync(BatchRow batch, CancellationToken cancellationToken) => shelf.FindAsync(batch.ProjectId, batch.InputFileId, cancellationToken);

    private CallError? MayUse(BatchRow batch, string model)
    {
        if (gateway.FindRoute(new ModelName(batch.ProjectId, model)) is null)
            return CallError.NoModel(OpenAiAnswers.Short(model));
        return Admission.Living(batch.KeyId, gateway, time.GetUtcNow()) is not { } caller ? CallError.NoKey
            : Admission.Allows(caller.Key, model, gateway) ? null : CallError.NotAllowed(model, caller.Key.Name);
    }

    private static BatchError InputGone(BatchRow batch) => new("file_not_found", $"The input file {batch.InputFileId} was deleted.", "input_file_id", null);

    private Task FailAsync(BatchRow batch, IReadOnlyList<BatchError> errors, Fence? fence, CancellationToken cancellationToken) =>
        WriteAsync(fence, session => BatchRows.Fail(session, batch.Id, errors), cancellationToken);

    private Task WriteAsync(Fence? fence, Action<WriteSession> write, CancellationToken cancellationToken) => store.WriteAsync(session =>
    {
        if (fence is not null)
            session.RequireFence(fence);
        write(session);
    }, cancellationToken);
}
