namespace Cairn.Frameworks.Engine.Tensors;

/// <summary>What requests must agree on to share an execution: every input's type and dimensions but the first.</summary>
internal readonly struct ShapeKey : IEquatable<ShapeKey>
{
    private readonly Tensor[] _inputs;
    private readonly int _hash;

    public ShapeKey(Tensor[] inputs)
    {
        _inputs = inputs;
        var hash = new HashCode();
        foreach (var input in inputs)
        {
            hash.Add(input.Name, StringComparer.Ordinal);
            for (var i = 1; i < input.Shape.Length; i++)
                hash.Add(input.Shape[i]);
        }

        _hash = hash.ToHashCode();
    }

    public bool Equals(ShapeKey other)
    {
        if (_hash != other._hash || _inputs.Length != other._inputs.Length)
            return false;
        for (var i = 0; i < _inputs.Length; i++)
        {
            var (mine, its) = (_inputs[i], other._inputs[i]);
            if (mine.Type != its.Type || mine.Shape.Length != its.Shape.Length || mine.Name != its.Name)
                return false;
            if (mine.Shape.Length > 1 && !mine.Shape.AsSpan(1).SequenceEqual(its.Shape.AsSpan(1)))
                return false;
        }

        return true;
    }

    public override bool Equals(object? obj) => obj is ShapeKey other && Equals(other);

    public override int GetHashCode() => _hash;
}
