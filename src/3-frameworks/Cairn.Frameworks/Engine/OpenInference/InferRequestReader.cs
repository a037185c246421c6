using System.Text.Json;
using Cairn.Frameworks.Engine.Tensors;

namespace Cairn.Frameworks.Engine.OpenInference;

/// <summary>
/// Reads a REST inference request: JSON, and behind it the bytes of the inputs that say <c>binary_data_size</c>, in their order. Input
/// bytes
/// are not copied: the tensors of the call point into the body, or into <paramref name="scratch"/> for those that came as JSON.
/// </summary>
internal ref struct InferRequestReader(ReadOnlyMemory<byte> body, int jsonLength, PooledBytes scratch)
{
    private const int TensorsLimit = 1024;

    private readonly List<ReadInput> _inputs = [];
    private readonly List<RequestedOutput> _outputs = [];
    private string? _id;
    private bool _binaryOutput;
    private ulong _priority;
    private ulong _timeout;

    /// <exception cref="RefusedException">What is wrong, and where.</exception>
    public InferCall Read()
    {
        if (jsonLength < 0 || jsonLength > body.Length)
            throw RefusedException.Invalid($"Inference-Header-Content-Length is {jsonLength}; the body has {body.Length} bytes");
        try
        {
            var json = new Utf8JsonReader(body.Span[..jsonLength]);
            ReadCall(ref json);
        }
        catch (JsonException failure)
        {
            throw RefusedException.Invalid($"failed to parse the request JSON buffer: {failure.Message}");
        }
        catch (InvalidOperationException failure)
        {
            throw RefusedException.Invalid($"a field of the request has another type than expected: {failure.Message}");
        }

        return new()
        {
            Id = _id,
            Inputs = Tensors(),
            Outputs = _outputs,
            BinaryOutput = _binaryOutput,
            Priority = _priority,
            TimeoutMicroseconds = _timeout,
        };
    }

    private void ReadCall(ref Utf8JsonReader json)
    {
        json.Read();
        if (json.TokenType != JsonTokenType.StartObject)
            throw RefusedException.Invalid("the request is no JSON object");
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("inputs"u8))
                ReadInputs(ref json);
            else if (json.ValueTextEquals("outputs"u8))
                ReadOutputs(ref json);
            else if (json.ValueTextEquals("id"u8))
            {
                json.Read();
                _id = json.GetString();
            }
            else if (json.ValueTextEquals("parameters"u8))
                ReadParameters(ref json);
            else
            {
                json.Read();
                json.Skip();
            }
        }

        // What follows the object must be blank: a second value would be a request smuggled behind the first.
        while (json.Read())
            throw RefusedException.Invalid("the request JSON goes on behind its object");
        if (_inputs.Count == 0)
            throw RefusedException.Invalid("the request has no 'inputs'");
    }

    private void ReadParameters(ref Utf8JsonReader json)
    {
        Begin(ref json, JsonTokenType.StartObject, "parameters");
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var binary = json.ValueTextEquals("binary_data_output"u8);
            var priority = json.ValueTextEquals("priority"u8);
            var timeout = json.ValueTextEquals("timeout"u8);
            json.Read();
            if (binary)
                _binaryOutput = json.GetBoolean();
            else if (priority)
                _priority = Unsigned(ref json, "priority");
            else if (timeout)
                _timeout = Unsigned(ref json, "timeout");
            else
                json.Skip();
        }
    }

    private void ReadInputs(ref Utf8JsonReader json)
    {
        Begin(ref json, JsonTokenType.StartArray, "inputs");
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            if (json.TokenType != JsonTokenType.StartObject || _inputs.Count == TensorsLimit)
                throw RefusedException.Invalid($"'inputs' holds up to {TensorsLimit} objects");
            _inputs.Add(ReadInput(ref json));
        }
    }

    private readonly ReadInput ReadInput(ref Utf8JsonReader json)
    {
        var input = new ReadInput();
        // Where the data comes before its type it is read when the type is known.
        var later = default(Utf8JsonReader);
        var waits = false;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("name"u8))
            {
                json.Read();
                input.Name = json.GetString() ?? "";
            }
            else if (json.ValueTextEquals("shape"u8))
                input.Shape = Shape(ref json);
            else if (json.ValueTextEquals("datatype"u8))
            {
                json.Read();
                input.Type = TypeOf(json.GetString() ?? "", input.Name);
            }
            else if (json.ValueTextEquals("parameters"u8))
                input.BinarySize = BinarySize(ref json) ?? input.BinarySize;
            else if (json.ValueTextEquals("data"u8))
            {
                json.Read();
                later = json;
                waits = true;
                if (input.Type is { } type)
                {
                    input.ReadData(ref json, type, scratch);
                    waits = false;
                }
                else
                    json.Skip();
            }
            else
            {
                json.Read();
                json.Skip();
            }
        }

        if (input.Name.Length == 0 || input.Shape is null || input.Type is null)
            throw RefusedException.Invalid($"input '{input.Name}' needs 'name', 'shape' and 'datatype'");
        if (waits)
            input.ReadData(ref later, input.Type.Value, scratch);
        return input;
    }

    private readonly void ReadOutputs(ref Utf8JsonReader json)
    {
        Begin(ref json, JsonTokenType.StartArray, "outputs");
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            if (json.TokenType != JsonTokenType.StartObject || _outputs.Count == TensorsLimit)
                throw RefusedException.Invalid($"'outputs' holds up to {TensorsLimit} objects");
            _outputs.Add(ReadOutput(ref json));
        }
    }

    private static RequestedOutput ReadOutput(ref Utf8JsonReader json)
    {
        string? name = null;
        bool? binary = null;
        var classes = 0UL;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var isName = json.ValueTextEquals("name"u8);
            var isParameters = json.ValueTextEquals("parameters"u8);
            json.Read();
            if (isName)
                name = json.GetString();
            else if (!isParameters)
                json.Skip();
            else
                while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
                {
                    var isBinary = json.ValueTextEquals("binary_data"u8);
                    var isClasses = json.ValueTextEquals("classification"u8);
                    json.Read();
                    if (isBinary)
                        binary = json.GetBoolean();
                    else if (isClasses)
                        classes = Unsigned(ref json, "classification");
                    else
                        json.Skip();
                }
        }

        return name is { Length: > 0 }
            ? new(name, binary, (int)Math.Min(classes, int.MaxValue))
            : throw RefusedException.Invalid("an entry of 'outputs' has no 'name'");
    }

    /// <summary>The tensors, the binary ones cut from behind the JSON, all proved against their shapes.</summary>
    private readonly Tensor[] Tensors()
    {
        var tensors = new Tensor[_inputs.Count];
        var offset = jsonLength;
        for (var i = 0; i < tensors.Length; i++)
        {
            var input = _inputs[i];
            var data = input.BinarySize is { } size ? Cut(ref offset, size, input) : scratch.Memory.Slice(input.Start, input.Length);
            if (input.BinarySize is null && input.Count < 0)
                throw RefusedException.Invalid($"input '{input.Name}' has neither 'data' nor 'binary_data_size'");
            if (input.BinarySize is null && TensorContents.Elements(input.Shape!, input.Name) is var expected && expected != input.Count)
                throw RefusedException.Invalid(
                    $"input '{input.Name}' of shape {TensorContents.Show(input.Shape)} has {expected} elements; "
                    + $"'data' holds {input.Count}");
            TensorContents.Check(input.Name, input.Type!.Value, input.Shape!, data.Span);
            tensors[i] = new(input.Name, input.Type.Value, input.Shape!, data);
        }

        return offset == body.Length
            ? tensors
            : throw RefusedException.Invalid($"{body.Length - offset} bytes are left behind the inputs' binary data");
    }

    private readonly ReadOnlyMemory<byte> Cut(ref int offset, long size, ReadInput input)
    {
        if (input.Count >= 0)
            throw RefusedException.Invalid($"input '{input.Name}' has both 'data' and 'binary_data_size'");
        if (size < 0 || size > body.Length - offset)
            throw RefusedException.Invalid(
                $"input '{input.Name}' has binary_data_size {size}; {body.Length - offset} bytes are left behind the JSON");
        var data = body.Slice(offset, (int)size);
        offset += (int)size;
        return data;
    }

    private static TensorType TypeOf(string datatype, string name) => TensorTypes.TryParse(datatype, out var type)
        ? type
        : throw RefusedException.Invalid($"input '{name}' has the datatype '{datatype}', which is not one of the protocol's");

    private static long[] Shape(ref Utf8JsonReader json)
    {
        Begin(ref json, JsonTokenType.StartArray, "shape");
        var shape = new List<long>(4);
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            if (json.TokenType != JsonTokenType.Number || !json.TryGetInt64(out var dimension) || shape.Count == TensorContents.MaximumRank)
                throw RefusedException.Invalid($"'shape' holds up to {TensorContents.MaximumRank} whole numbers");
            shape.Add(dimension);
        }

        return [.. shape];
    }

    private static long? BinarySize(ref Utf8JsonReader json)
    {
        Begin(ref json, JsonTokenType.StartObject, "parameters");
        long? size = null;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var isSize = json.ValueTextEquals("binary_data_size"u8);
            var isRegion = json.ValueTextEquals("shared_memory_region"u8);
            json.Read();
            if (isRegion)
                throw RefusedException.Invalid("shared memory is not served; send the tensor in the request");
            if (!isSize)
                json.Skip();
            else if (json.TokenType == JsonTokenType.Number && json.TryGetInt64(out var number))
                size = number;
            else
                throw RefusedException.Invalid("'binary_data_size' is not a whole number");
        }

        return size;
    }

    private static ulong Unsigned(ref Utf8JsonReader json, string name) =>
        json.TokenType == JsonTokenType.Number && json.TryGetUInt64(out var value)
            ? value
            : throw RefusedException.Invalid($"'{name}' is not a whole number of 0 or more");

    private static void Begin(ref Utf8JsonReader json, JsonTokenType expected, string name)
    {
        json.Read();
        if (json.TokenType != expected)
            throw RefusedException.Invalid($"'{name}' is not {(expected == JsonTokenType.StartArray ? "an array" : "an object")}");
    }
}

/// <summary>An input as far as it is read.</summary>
internal sealed class ReadInput
{
    public string Name { get; set; } = "";

    public TensorType? Type { get; set; }

    public long[]? Shape { get; set; }

    public long? BinarySize { get; set; }

    public int Start { get; private set; }

    public int Length { get; private set; }

    /// <summary>Elements of 'data'; -1 where there was none.</summary>
    public int Count { get; private set; } = -1;

    public void ReadData(ref Utf8JsonReader json, TensorType type, PooledBytes scratch)
    {
        Start = scratch.Length;
        Count = TensorJson.Read(ref json, type, Name, scratch);
        Length = scratch.Length - Start;
    }
}
