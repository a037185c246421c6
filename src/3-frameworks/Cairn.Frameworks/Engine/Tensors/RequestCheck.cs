using Cairn.Frameworks.Engine.OpenInference.Wire;

namespace Cairn.Frameworks.Engine.Tensors;

/// <summary>Holds a request against a model's configuration.</summary>
internal sealed class RequestCheck(ModelConfig config)
{
    private readonly ModelInput[] _inputs = [.. config.Input];
    private readonly HashSet<string> _outputs = config.Output.Select(output => output.Name).ToHashSet(StringComparer.Ordinal);
    private readonly int _maximumBatch = config.MaxBatchSize;
    private readonly string _name = config.Name;

    /// <summary>The request's inputs in the configuration's order and the graph's shapes, and the rows they have.</summary>
    /// <exception cref="RefusedException">Something does not fit; the message says what was expected.</exception>
    public (Tensor[] Inputs, int Rows) Arrange(IReadOnlyList<Tensor> inputs)
    {
        var arranged = new List<Tensor>(_inputs.Length);
        var rows = -1L;
        foreach (var slot in _inputs)
        {
            if (Find(inputs, slot.Name) is not { } given)
            {
                if (slot.Optional)
                    continue;
                throw RefusedException.Invalid(
                    $"model '{_name}' needs the input '{slot.Name}'; expected {_inputs.Length} inputs, got {inputs.Count}");
            }

            arranged.Add(Fit(given, slot, ref rows));
        }

        foreach (var given in inputs)
            if (!Array.Exists(_inputs, slot => slot.Name == given.Name))
                throw RefusedException.Invalid($"unexpected inference input '{given.Name}' for model '{_name}'");
        return ([.. arranged], _maximumBatch > 0 ? (int)Math.Max(rows, 1) : 1);
    }

    /// <exception cref="RefusedException">The model has no such output, or it is asked for twice.</exception>
    public void Outputs(IReadOnlyList<string> names)
    {
        for (var i = 0; i < names.Count; i++)
        {
            if (!_outputs.Contains(names[i]))
                throw RefusedException.Invalid($"unexpected inference output '{names[i]}' for model '{_name}'");
            for (var j = 0; j < i; j++)
                if (names[i] == names[j])
                    throw RefusedException.Invalid($"the output '{names[i]}' is asked for twice");
        }
    }

    private static Tensor? Find(IReadOnlyList<Tensor> inputs, string name)
    {
        Tensor? found = null;
        for (var i = 0; i < inputs.Count; i++)
        {
            if (inputs[i].Name != name)
                continue;
            if (found is not null)
                throw RefusedException.Invalid($"the input '{name}' is given twice");
            found = inputs[i];
        }

        return found;
    }

    private Tensor Fit(Tensor given, ModelInput slot, ref long rows)
    {
        var expected = TensorTypes.From(slot.DataType);
        if (given.Type != expected)
            throw RefusedException.Invalid(
                $"inference input '{given.Name}' has data-type {given.Type.Name()}, model '{_name}' expects {expected?.Name()}");
        var skip = _maximumBatch > 0 ? 1 : 0;
        var fits = given.Shape.Length == slot.Dims.Count + skip;
        for (var i = 0; fits && i < slot.Dims.Count; i++)
            fits = slot.Dims[i] == -1 || slot.Dims[i] == given.Shape[i + skip];
        if (!fits)
            throw RefusedException.Invalid(
                $"unexpected shape for input '{given.Name}' for model '{_name}': expected "
                + $"{TensorContents.Show(skip > 0 ? [-1, .. slot.Dims] : [.. slot.Dims])}, got {TensorContents.Show(given.Shape)}");
        if (skip > 0)
            CheckRows(given, ref rows);
        return slot.Reshape is { } reshape ? given with { Shape = Reshape(given.Shape, skip, [.. reshape.Shape], given.Name) } : given;
    }

    private void CheckRows(Tensor given, ref long rows)
    {
        if (rows >= 0 && given.Shape[0] != rows)
            throw RefusedException.Invalid($"input '{given.Name}' has the batch size {given.Shape[0]}, another input has {rows}");
        rows = given.Shape[0];
        if (rows < 1 || rows > _maximumBatch)
            throw RefusedException.Invalid($"inference request batch-size must be 1 to {_maximumBatch} for '{_name}', got {rows}");
    }

    /// <summary>The shape behind the batch replaced; one -1 takes what the others leave.</summary>
    public static long[] Reshape(long[] shape, int skip, long[] target, string name)
    {
        var elements = TensorContents.Elements(shape.AsSpan(skip), name);
        var known = TensorContents.Elements([.. target.Where(dimension => dimension >= 0)], name);
        var open = target.Count(dimension => dimension < 0);
        if (open > 1 || known == 0 || (open == 0 ? known != elements : elements % known != 0))
            throw RefusedException.Invalid(
                $"'{name}' of shape {TensorContents.Show(shape)} cannot be reshaped to {TensorContents.Show(target)}");
        return [.. shape.Take(skip), .. target.Select(dimension => dimension < 0 ? elements / known : dimension)];
    }
}
