using Cairn.Frameworks.Engine.OpenInference.Wire;

namespace Cairn.Frameworks.Engine.Tensors;

/// <summary>How a version's waiting requests become batches, compiled from its configuration.</summary>
internal sealed record BatchingPolicy
{
    /// <summary>The most rows of one execution; 0 where the model knows no batch dimension.</summary>
    public required int MaximumBatch { get; init; }

    /// <summary>Whether requests of several callers may share an execution.</summary>
    public required bool Combine { get; init; }

    /// <summary>Ascending; a batch that reaches one goes at once. Empty: only the maximum does.</summary>
    public int[] Preferred { get; init; } = [];

    /// <summary>How long a request may wait for company, microseconds.</summary>
    public long DelayMicroseconds { get; init; }

    /// <summary>Answers leave in the order in which requests came.</summary>
    public bool PreserveOrder { get; init; }

    public ulong PriorityLevels { get; init; }

    public ulong DefaultPriority { get; init; }

    public ModelQueuePolicy Queue { get; init; } = new();

    public IReadOnlyDictionary<ulong, ModelQueuePolicy> QueueByPriority { get; init; } = new Dictionary<ulong, ModelQueuePolicy>();

    /// <summary>Requests that may wait where the configuration sets no bound.</summary>
    public int QueueLimit { get; init; } = 4096;

    public ModelQueuePolicy QueueOf(ulong priority) => QueueByPriority.GetValueOrDefault(priority, Queue);

    public static BatchingPolicy From(ModelConfig config, int queueLimit)
    {
        var batching = config.SchedulingChoiceCase == ModelConfig.SchedulingChoiceOneofCase.DynamicBatching ? config.DynamicBatching : null;
        return new()
        {
            MaximumBatch = config.MaxBatchSize,
            Combine = batching is not null && config.MaxBatchSize > 1,
            Preferred = batching?.PreferredBatchSize.Order().ToArray() ?? [],
            DelayMicroseconds = (long)Math.Min(batching?.MaxQueueDelayMicroseconds ?? 0, 60_000_000),
            PreserveOrder = batching?.PreserveOrdering ?? false,
            PriorityLevels = batching?.PriorityLevels ?? 0,
            DefaultPriority = batching?.DefaultPriorityLevel ?? 0,
            Queue = batching?.DefaultQueuePolicy ?? new(),
            QueueByPriority = batching?.PriorityQueuePolicy.ToDictionary() ?? [],
            QueueLimit = queueLimit,
        };
    }
}
