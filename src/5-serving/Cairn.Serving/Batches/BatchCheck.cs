using System.IO.Hashing;
using System.Runtime.InteropServices;
using Cairn.Serving.Gateway.Calls;

namespace Cairn.Serving.Batches;

/// <summary>Judges an input file line by line.</summary>
/// <param name="mayUse">Why the batch's key may not use a model; null where it may.</param>
internal sealed class BatchCheck(string endpoint, int mostLines, Func<string, CallError?> mayUse)
{
    /// <summary>A file that is wrong throughout is told so by its first lines.</summary>
    private const int MostErrors = 100;

    private readonly List<BatchError> _errors = [];

    // Ids themselves could take tens of megabytes.
    private readonly HashSet<UInt128> _ids = [];

    public string? Model { get; private set; }

    public int Lines { get; private set; }

    /// <summary>Judges one more line.</summary>
    /// <returns>Whether to go on.</returns>
    public bool Take(InputLine input)
    {
        if (++Lines > mostLines)
        {
            _errors.Add(new BatchError("too_many_tasks", $"The batch input file contains too many requests. The maximum number of requests per file is {mostLines}.", null, input.Number));
            return false;
        }
        var (line, error) = BatchLine.Parse(input, endpoint);
        error ??= Judge(line!);
        if (error is not null)
            _errors.Add(error);
        return _errors.Count < MostErrors;
    }

    /// <summary>Everything that is wrong; empty where all is well.</summary>
    public IReadOnlyList<BatchError> End()
    {
        if (Lines == 0)
            _errors.Add(new BatchError("empty_file", "The input file is empty. Please ensure that the batch contains at least one request.", null, null));
        return _errors;
    }

    private BatchError? Judge(BatchLine line)
    {
        if (!_ids.Add(XxHash128.HashToUInt128(MemoryMarshal.AsBytes(line.CustomId.AsSpan()))))
        {
            return new BatchError("duplicate_custom_id",
                $"The custom_id '{OpenAiAnswers.Short(line.CustomId)}' for this request is a duplicate of another request. The custom_id parameter must be unique for each request in a batch.",
                "custom_id", line.Number);
        }
        if (Model is null)
        {
            Model = line.Model;
            return mayUse(line.Model) is { } refusal ? new BatchError(refusal.Code ?? "invalid_model", refusal.Message, "body.model", line.Number) : null;
        }
        return line.Model == Model ? null : new BatchError("mismatched_model",
            $"The model '{OpenAiAnswers.Short(line.Model)}' does not match the first request's, '{OpenAiAnswers.Short(Model)}'. Each batch must contain requests for a single model.",
            "body.model", line.Number);
    }
}
