using Cairn.Frameworks.Engine.OpenInference.Wire;

namespace Cairn.Frameworks.Engine.Tensors;

/// <summary>What a person wrote of a model's configuration, and which of the decisive fields were written at all.</summary>
internal sealed record WrittenConfig(ModelConfig Config, bool SaysBatch)
{
    public static WrittenConfig None { get; } = new(new(), SaysBatch: false);
}

/// <summary>Fills what a configuration leaves out from the graph, and refuses what contradicts it.</summary>
internal static class ModelConfigCompletion
{
    public const string Platform = "onnxruntime_onnx";

    /// <exception cref="ModelLoadException">The configuration and the graph do not fit.</exception>
    public static ModelConfig Complete(
        string name, WrittenConfig written, IReadOnlyList<TensorSlot> inputs, IReadOnlyList<TensorSlot> outputs, int defaultBatch)
    {
        var config = written.Config.Clone();
        if (config.Name.Length > 0 && config.Name != name)
            throw new ModelLoadException(
                $"the configuration of '{name}' names the model '{config.Name}'; leave the name out or make them equal");
        if (config.Platform is not ("" or Platform) || config.Backend is not ("" or "onnxruntime"))
            throw new ModelLoadException(
                $"model '{name}' asks for platform '{config.Platform}', backend '{config.Backend}'; "
                + $"this engine has {Platform}, onnxruntime");
        (config.Name, config.Platform, config.Backend) = (name, Platform, "onnxruntime");
        CompleteBatch(config, written.SaysBatch, inputs, outputs, defaultBatch);
        CompleteTensors(config, inputs, outputs);
        CompleteInstances(config);
        if (config.VersionPolicy is null)
            config.VersionPolicy = new() { Latest = new() { NumVersions = 1 } };
        CheckBatching(config);
        return config;
    }

    private static void CompleteBatch(
        ModelConfig config, bool said, IReadOnlyList<TensorSlot> inputs, IReadOnlyList<TensorSlot> outputs, int defaultBatch)
    {
        var can = CanBatch(inputs, outputs);
        if (config.MaxBatchSize < 0)
            throw new ModelLoadException($"max_batch_size is {config.MaxBatchSize}; 0 or more is expected");
        if (config.MaxBatchSize > 0 && !inputs.Concat(outputs).All(slot => slot.Shape.Length > 0 && slot.Shape[0] == -1))
            throw new ModelLoadException(
                $"max_batch_size is {config.MaxBatchSize}, but not every input and output of the graph has a variable first dimension");
        if (said || config.MaxBatchSize > 0 || !can || defaultBatch < 1)
            return;
        config.MaxBatchSize = defaultBatch;
        if (config.DynamicBatching is null && defaultBatch > 1)
            config.DynamicBatching = new();
    }

    /// <summary>
    /// Whether the first dimension looks like a batch: variable everywhere, and under one name where the graph names it. A graph that
    /// names its first dimensions differently (sequence, boxes) does not mean rows that are independent of one another.
    /// </summary>
    private static bool CanBatch(IReadOnlyList<TensorSlot> inputs, IReadOnlyList<TensorSlot> outputs)
    {
        if (inputs.Count == 0)
            return false;
        var tensors = inputs.Concat(outputs.Where(slot => !slot.IsMapSequence)).ToList();
        return tensors.All(slot => slot.Shape.Length > 0 && slot.Shape[0] == -1)
            && tensors.Select(slot => slot.Symbols.ElementAtOrDefault(0) ?? "").Distinct(StringComparer.Ordinal).Count() == 1;
    }

    private static void CompleteTensors(ModelConfig config, IReadOnlyList<TensorSlot> inputs, IReadOnlyList<TensorSlot> outputs)
    {
        var batched = config.MaxBatchSize > 0;
        if (config.Input.Count == 0)
            config.Input.AddRange(inputs.Select(slot =>
            {
                var input = new ModelInput { Name = slot.Name, DataType = slot.Type.Config() };
                input.Dims.AddRange(slot.Shape.Skip(batched ? 1 : 0));
                return input;
            }));
        if (config.Output.Count == 0)
            config.Output.AddRange(outputs.Select(slot =>
            {
                var output = new ModelOutput { Name = slot.Name, DataType = slot.Type.Config() };
                output.Dims.AddRange(slot.Shape.Skip(batched ? 1 : 0));
                return output;
            }));
        foreach (var input in config.Input)
            Check("input", input.Name, input.DataType, input.Reshape?.Shape ?? input.Dims, inputs, batched);
        foreach (var output in config.Output)
            Check("output", output.Name, output.DataType, output.Reshape?.Shape ?? output.Dims, outputs, batched);
        foreach (var slot in inputs)
            if (!config.Input.Any(input => input.Name == slot.Name))
                throw new ModelLoadException($"the configuration leaves out the graph's input '{slot.Name}'");
    }

    private static void Check(
        string what, string name, DataType type, IReadOnlyList<long> dims, IReadOnlyList<TensorSlot> slots, bool batched)
    {
        var slot = slots.FirstOrDefault(slot => slot.Name == name) ?? throw new ModelLoadException(
            $"the configuration has the {what} '{name}'; the graph has {string.Join(", ", slots.Select(slot => $"'{slot.Name}'"))}");
        if (type != slot.Type.Config())
            throw new ModelLoadException($"the configuration gives {what} '{name}' the type {type}; the graph's is {slot.Type.Config()}");
        long[] shape = batched ? [-1, .. dims] : [.. dims];
        // Several -1 in a row may come from a graph without shape information; it then has no rank to compare.
        var fits = slot.Shape.Length == 0 || (shape.Length == slot.Shape.Length
            && shape.Zip(slot.Shape).All(pair => pair.First == -1 || pair.Second == -1 || pair.First == pair.Second));
        if (!fits || shape.Any(dimension => dimension is < -1 or 0))
            throw new ModelLoadException(
                $"the configuration gives {what} '{name}' the shape {TensorContents.Show(shape)}; "
                + $"the graph's is {TensorContents.Show(slot.Shape)}");
    }

    private static void CompleteInstances(ModelConfig config)
    {
        if (config.InstanceGroup.Count == 0)
            config.InstanceGroup.Add(new ModelInstanceGroup { Name = config.Name, Count = 1, Kind = ModelInstanceGroup.Types.Kind.Cpu });
        foreach (var group in config.InstanceGroup)
        {
            if (group.Kind == ModelInstanceGroup.Types.Kind.Gpu)
                throw new ModelLoadException("instance_group asks for KIND_GPU; this engine executes on the CPU");
            group.Count = group.Count == 0 ? 1 : group.Count;
            if (group.Count is < 1 or > 64)
                throw new ModelLoadException($"instance_group has count {group.Count}; 1 to 64 is expected");
        }
    }

    private static void CheckBatching(ModelConfig config)
    {
        if (config.DynamicBatching is not { } batching)
            return;
        if (config.MaxBatchSize == 0)
            throw new ModelLoadException("dynamic_batching needs a max_batch_size above 0");
        foreach (var size in batching.PreferredBatchSize)
            if (size < 1 || size > config.MaxBatchSize)
                throw new ModelLoadException($"preferred_batch_size has {size}; 1 to max_batch_size ({config.MaxBatchSize}) is expected");
        if (batching.PriorityLevels > 0 && (batching.DefaultPriorityLevel < 1 || batching.DefaultPriorityLevel > batching.PriorityLevels))
            throw new ModelLoadException(
                $"default_priority_level is {batching.DefaultPriorityLevel}; 1 to priority_levels ({batching.PriorityLevels}) is expected");
    }
}
