using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Cairn.Serving.Gateway.Calls;
using Microsoft.AspNetCore.Http;

namespace Cairn.Serving.Gateway.OpenInference.Grpc;

/// <summary>Statuses as gRPC tells them: in the headers of an answer that says nothing else, or behind what was said. Numbers are those of gRPC's page on status codes.</summary>
internal static class GrpcAnswers
{
    public const string ContentType = "application/grpc";
    public const string StatusHeader = "grpc-status";
    public const string MessageHeader = "grpc-message";

    /// <summary>How long a client that tries again by itself shall wait; negative: it shall not (gRPC's retry design, A6).</summary>
    private const string PushbackHeader = "grpc-retry-pushback-ms";

    private const int Internal = 13;
    private const int Unavailable = 14;
    private const int Unknown = 2;

    public static CallError OnlyHttp2 { get; } = new(505, "invalid_request_error", "http2_needed",
        "gRPC needs HTTP/2: call this address with a gRPC client, without TLS on http:// and with TLS on https://.");

    public static CallError OnlyGrpc { get; } = new(415, "invalid_request_error", "grpc_needed", $"This path takes gRPC; expected the content type {ContentType}.");

    public static CallError NoMethod(string method) => new(501, "invalid_request_error", "no_such_method", $"inference.GRPCInferenceService has no method '{method}' here.");

    public static CallError NotControlled { get; } = new(405, "invalid_request_error", "not_controlled",
        "Models are not loaded and unloaded through the gateway: `cairn serve`, `cairn rollout` and `cairn stop` do that on all replicas.");

    public static CallError ErrorOf(GrpcFault fault) => fault switch
    {
        GrpcFault.Packed => new CallError(501, "invalid_request_error", "compressed",
            "The message is compressed as a whole, so its model's name cannot be read; send it with grpc-encoding identity."),
        GrpcFault.OtherModel => CallError.Invalid("A stream is for one model: the first message's. Open another stream for another model.", "model_name"),
        GrpcFault.NoModel => CallError.Invalid("No model is named within the message's first 64 KiB; set model_name (or name), 1 to 1,024 bytes, which clients write first.", "model_name"),
        _ => CallError.Invalid("The message is no protobuf message of the Open Inference Protocol, or names its model twice."),
    };

    /// <summary>Tells an error; behind what was said already where something was.</summary>
    public static async Task FailAsync(HttpContext context, CallError error)
    {
        var response = context.Response;
        Write("grpc-accept-encoding", "identity");
        Write(StatusHeader, Code(error.Status).ToString(CultureInfo.InvariantCulture));
        Write(MessageHeader, Escape(error.Message));
        if (error.ShouldRetry == false)
            Write(PushbackHeader, "-1");
        else if (error.RetryAfter is { } wait)
            Write(PushbackHeader, ((long)Math.Ceiling(Math.Max(0, wait.TotalMilliseconds))).ToString(CultureInfo.InvariantCulture));
        if (!response.HasStarted)
            response.ContentType = ContentType;
        await response.CompleteAsync();

        void Write(string name, string value)
        {
            if (!response.HasStarted)
                response.Headers[name] = value;
            else if (name != "grpc-accept-encoding")
                response.AppendTrailer(name, value);
        }
    }

    /// <summary>The status in headers or trailers; null where they have none.</summary>
    public static int? StatusIn(HttpResponseHeaders headers) =>
        headers.NonValidated.TryGetValues(StatusHeader, out var values) && int.TryParse(values.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var code) ? code : null;

    /// <summary>What another replica may do better: it is overloaded, restarting or broken.</summary>
    public static bool Fails(int? status) => status is Unavailable or Internal or Unknown;

    /// <summary>What a status of gRPC is over HTTP, for people who look at both.</summary>
    public static int HttpOf(int code) => code switch
    {
        0 => 200, 1 => 499, 3 or 9 or 11 => 400, 4 => 504, 5 => 404, 6 or 10 => 409, 7 => 403, 8 => 429, 12 => 501, Unavailable => 503, 16 => 401, _ => 500,
    };

    private static int Code(int status) => (HttpStatusCode)status switch
    {
        HttpStatusCode.BadRequest or HttpStatusCode.UnsupportedMediaType => 3,
        HttpStatusCode.GatewayTimeout => 4,
        HttpStatusCode.NotFound => 5,
        HttpStatusCode.Forbidden => 7,
        HttpStatusCode.TooManyRequests or HttpStatusCode.RequestEntityTooLarge => 8,
        HttpStatusCode.NotImplemented or HttpStatusCode.MethodNotAllowed => 12,
        HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable => Unavailable,
        HttpStatusCode.Unauthorized => 16,
        _ => Internal,
    };

    /// <summary>gRPC over HTTP/2 percent-encodes what is not printable ASCII.</summary>
    private static string Escape(string message)
    {
        var text = new System.Text.StringBuilder();
        foreach (var letter in System.Text.Encoding.UTF8.GetBytes(message))
        {
            if (letter is >= 0x20 and <= 0x7E and not (byte)'%')
                text.Append((char)letter);
            else
                text.Append('%').Append(letter.ToString("X2", CultureInfo.InvariantCulture));
        }
        return text.ToString();
    }
}
