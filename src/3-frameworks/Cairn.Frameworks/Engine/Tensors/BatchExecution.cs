using Microsoft.Extensions.Logging;
using Microsoft.ML.OnnxRuntime;

namespace Cairn.Frameworks.Engine.Tensors;

/// <summary>Runs a batch through a session and hands every request its own share, or its own failure.</summary>
internal sealed partial class BatchExecution(
    string name, TensorSession session, IReadOnlyList<TensorSlot> outputs, VersionStatistics statistics, TimeProvider time, ILogger logger)
{
    /// <summary>
    /// Answers every request of the batch. False: the model's outputs have no batch dimension, so requests cannot share it.
    /// </summary>
    public bool Run(List<QueuedRequest> batch, ref byte[] buffer)
    {
        if (batch.Count == 1)
        {
            RunAlone(batch[0]);
            return true;
        }

        try
        {
            if (RunTogether(batch, ref buffer))
                return true;
            CannotShare(logger, name);
            batch.ForEach(RunAlone);
            return false;
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            // One request's data may have failed the others'; alone, each gets what is its own.
            batch.ForEach(RunAlone);
            return true;
        }
    }

    private bool RunTogether(List<QueuedRequest> batch, ref byte[] buffer)
    {
        var start = time.GetTimestamp();
        var inputs = TensorBatch.Concatenate([.. batch.Select(queued => queued.Request.Inputs)], ref buffer);
        var wanted = Wanted(batch);
        var infer = time.GetTimestamp();
        var results = session.Run(inputs, wanted);
        var output = time.GetTimestamp();
        var rows = batch.Select(queued => queued.Rows).ToArray();
        if (TensorBatch.Split(results, rows) is not { } shares)
            return false;
        var end = time.GetTimestamp();
        Count(batch, rows.Sum(), (start, infer, output, end));
        for (var i = 0; i < shares.Length; i++)
            batch[i].Set(InferenceAnswer.Of(Pick(shares[i], batch[i].Request.Outputs)));
        return true;
    }

    private void RunAlone(QueuedRequest queued)
    {
        var start = time.GetTimestamp();
        try
        {
            var results = session.Run(queued.Request.Inputs, Wanted([queued]));
            var end = time.GetTimestamp();
            Count([queued], queued.Rows, (start, start, end, end));
            queued.Set(InferenceAnswer.Of(Pick(results, queued.Request.Outputs)));
        }
        catch (Exception failure)
        {
            statistics.Left();
            statistics.Failed(time.GetElapsedTime(queued.Arrived));
            var wrong = failure.Message.Contains("[ErrorCode:InvalidArgument]", StringComparison.Ordinal);
            queued.Set(InferenceAnswer.No(wrong ? RefusalKind.Invalid : RefusalKind.Failed, $"model '{name}' failed: {failure.Message}"));
        }
    }

    private IReadOnlyList<TensorSlot> Wanted(List<QueuedRequest> batch)
    {
        foreach (var queued in batch)
            if (queued.Request.Outputs.Count == 0)
                return outputs;
        return [.. outputs.Where(slot => batch.Exists(queued => queued.Request.Outputs.Contains(slot.Name)))];
    }

    private static Tensor[] Pick(Tensor[] results, IReadOnlyList<string> names) =>
        names.Count == 0 ? results : [.. names.Select(wanted => results.First(result => result.Name == wanted))];

    private void Count(List<QueuedRequest> batch, int rows, (long Start, long Infer, long Output, long End) at)
    {
        var requests = new (TimeSpan, TimeSpan, int)[batch.Count];
        for (var i = 0; i < requests.Length; i++)
        {
            statistics.Left();
            requests[i] = (time.GetElapsedTime(batch[i].Arrived, at.Start), time.GetElapsedTime(batch[i].Arrived, at.End), batch[i].Rows);
        }

        var times = new ExecutionTimes(
            time.GetElapsedTime(at.Start, at.Infer), time.GetElapsedTime(at.Infer, at.Output), time.GetElapsedTime(at.Output, at.End));
        statistics.Executed(rows, requests, times);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message =
        "Model {Name}: an output's first dimension is not the batch; its requests are executed one by one. Set max_batch_size: 0 for it.")]
    private static partial void CannotShare(ILogger logger, string name);
}
