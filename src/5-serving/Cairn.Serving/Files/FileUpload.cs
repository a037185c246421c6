using System.Buffers;
using System.Globalization;
using System.Text;
using Cairn.Serving.Gateway.Calls;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Cairn.Serving.Files;

/// <summary>What a client says of the file that it sends.</summary>
/// <param name="ExpiresAfter">Null where it says nothing.</param>
internal sealed record FileWish(string Purpose, string Name, TimeSpan? ExpiresAfter);

/// <summary>
/// Reads an upload part by part, in the order in which the client sends them; the file goes to its spool and never through memory as a
/// whole.
/// </summary>
internal sealed class FileUpload(FileSpool spool, long mostBytes)
{
    private const int MostFieldBytes = 4096;
    private const int MostFields = 16;
    private const int MostNameLength = 512;

    private static readonly string[] s_purposes = ["assistants", "batch", "fine-tune", "vision", "user_data", "evals"];
    private readonly Dictionary<string, string> _fields = [];
    private string? _name;

    public async Task<(FileWish? Wish, CallError? Error)> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type) || !type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase)
            || HeaderUtilities.RemoveQuotes(type.Boundary).Value is not { Length: > 0 and <= 200 } boundary)
            return (null, CallError.Invalid($"Invalid Content-Type '{OpenAiAnswers.Short(request.ContentType)}': expected multipart/form-data with a boundary."));
        try
        {
            var reader = new MultipartReader(boundary, request.Body);
            for (var parts = 0; await reader.ReadNextSectionAsync(cancellationToken) is { } section; parts++)
            {
                if (parts >= MostFields)
                    return (null, CallError.Invalid($"The form has more than {MostFields} parts."));
                if (await TakeAsync(section, cancellationToken) is { } error)
                    return (null, error);
            }
            return Judge();
        }
        catch (BadHttpRequestException refused) when (refused.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            return (null, TooLarge(mostBytes));
        }
        catch (Exception broken) when (broken is InvalidDataException or BadHttpRequestException || (broken is IOException && !cancellationToken.IsCancellationRequested))
        {
            return (null, CallError.Invalid($"The form cannot be read: {broken.Message}"));
        }
    }

    public static CallError TooLarge(long most) => new(413, "invalid_request_error", "file_too_large", $"The file is larger than {most:N0} bytes.", "file");

    private async Task<CallError?> TakeAsync(MultipartSection section, CancellationToken cancellationToken)
    {
        if (!ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var disposition) || HeaderUtilities.RemoveQuotes(disposition.Name).Value is not { Length: > 0 } name)
            return CallError.Invalid("A part of the form has no name.");
        if (name == "file")
        {
            var said = HeaderUtilities.RemoveQuotes(disposition.FileNameStar.HasValue ? disposition.FileNameStar : disposition.FileName).Value;
            return _name is not null ? CallError.Invalid("'file' was sent twice.", "file") : await SpoolAsync(section.Body, said ?? "", cancellationToken);
        }
        var bytes = new byte[MostFieldBytes + 1];
        var count = await section.Body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken);
        if (count > MostFieldBytes)
            return CallError.Invalid($"'{OpenAiAnswers.Short(name)}' is longer than {MostFieldBytes} bytes.", OpenAiAnswers.Short(name));
        _fields[name] = Encoding.UTF8.GetString(bytes, 0, count);
        return null;
    }

    private async Task<CallError?> SpoolAsync(Stream body, string said, CancellationToken cancellationToken)
    {
        // Some clients send the path that they read; only its end names the file.
        _name = said[(said.LastIndexOfAny(['/', '\\']) + 1)..];
        if (_name.Length is 0 or > MostNameLength || _name.Any(char.IsControl))
            return CallError.Invalid($"Invalid file name '{OpenAiAnswers.Short(_name)}': expected 1 to {MostNameLength} characters without control characters.", "file");
        var buffer = ArrayPool<byte>.Shared.Rent(64 << 10);
        try
        {
            for (int count; (count = await body.ReadAsync(buffer, cancellationToken)) > 0;)
            {
                if (spool.Bytes + count > mostBytes)
                    return TooLarge(mostBytes);
                await spool.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
            }
            return null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private (FileWish?, CallError?) Judge()
    {
        if (!_fields.TryGetValue("purpose", out var purpose))
            return (null, CallError.Invalid("'purpose' is a required property", "purpose"));
        if (!s_purposes.Contains(purpose))
            return (null, CallError.Invalid($"'{OpenAiAnswers.Short(purpose)}' is not one of ['{string.Join("', '", s_purposes)}'] - 'purpose'", "purpose"));
        if (_name is null)
            return (null, CallError.Invalid("'file' is a required property", "file"));
        if (purpose == "batch" && !_name.EndsWith(".jsonl", StringComparison.OrdinalIgnoreCase))
            return (null, CallError.Invalid("Invalid file format for Batch API. Must be .jsonl", "file"));
        var anchored = _fields.TryGetValue("expires_after[anchor]", out var anchor);
        if (!_fields.TryGetValue("expires_after[seconds]", out var text))
            return anchored ? (null, CallError.Invalid("Missing required parameter: 'expires_after.seconds'.", "expires_after.seconds")) : (new FileWish(purpose, _name, null), null);
        var (after, error) = FileExpiry.Read(anchor, long.TryParse(text, CultureInfo.InvariantCulture, out var seconds) ? seconds : -1, "expires_after");
        return error is null ? (new FileWish(purpose, _name, after), null) : (null, error);
    }
}
