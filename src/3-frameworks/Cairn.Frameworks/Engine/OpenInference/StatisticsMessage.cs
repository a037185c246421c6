using Cairn.Frameworks.Engine.OpenInference.Wire;
using Cairn.Frameworks.Engine.Tensors;

namespace Cairn.Frameworks.Engine.OpenInference;

/// <summary>A version's counters as the statistics extension sends them.</summary>
internal static class StatisticsMessage
{
    public static ModelStatistics Of(ModelVersion version)
    {
        var counts = version.Statistics.Snapshot();
        var message = new ModelStatistics
        {
            Name = version.Name,
            Version = version.VersionText,
            LastInference = (ulong)counts.LastInference,
            InferenceCount = counts.Inferences,
            ExecutionCount = counts.Executions,
            InferenceStats = new()
            {
                Success = Duration(counts.Success),
                Fail = Duration(counts.Fail),
                Queue = Duration(counts.Queue),
                ComputeInput = Duration(counts.Input),
                ComputeInfer = Duration(counts.Infer),
                ComputeOutput = Duration(counts.Output),
                CacheHit = new(),
                CacheMiss = new(),
            },
        };
        message.BatchStats.AddRange(counts.Batches.Select(batch => new InferBatchStatistics
        {
            BatchSize = batch.Rows,
            ComputeInput = Duration(batch.Input),
            ComputeInfer = Duration(batch.Infer),
            ComputeOutput = Duration(batch.Output),
        }));
        message.MemoryUsage.Add(new MemoryUsage { Type = "CPU", ByteSize = (ulong)version.Bytes });
        return message;
    }

    private static StatisticDuration Duration(DurationCount count) => new() { Count = count.Count, Ns = count.Nanoseconds };
}
