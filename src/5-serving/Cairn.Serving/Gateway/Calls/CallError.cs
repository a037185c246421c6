using Cairn.Contracts.Units;

namespace Cairn.Serving.Gateway.Calls;

/// <summary>A refusal or failure in the words that OpenAI's clients know; other dialects translate it.</summary>
/// <param name="Status">HTTP's.</param>
/// <param name="Type">OpenAI's error type.</param>
/// <param name="Code">Stable; clients branch on it.</param>
/// <param name="Message">Names the thing, the value, what was expected and what to do.</param>
internal sealed record CallError(int Status, string Type, string? Code, string Message, string? Param = null)
{
    /// <summary>When another try may succeed; null tells nothing.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Whether clients shall try again; null leaves it to the status.</summary>
    public bool? ShouldRetry { get; init; }

    public static CallError Invalid(string message, string? param = null) => new(400, "invalid_request_error", null, message, param);

    public static CallError NoKey { get; } = new(401, "invalid_request_error", "invalid_api_key",
        "No API key was sent, or it is unknown, expired or blocked. Send it as 'Authorization: Bearer ck_…'; `cairn keys create` makes one.");

    public static CallError Starting { get; } = new(503, "server_error", "starting", "The gateway has begun and does not know its keys and models yet. Try again.")
    {
        RetryAfter = TimeSpan.FromSeconds(1),
    };

    public static CallError NoModel(string model) => new(404, "invalid_request_error", "model_not_found",
        $"The model '{model}' does not exist or you do not have access to it. GET /v1/models lists those that do.", "model");

    public static CallError NoEndpoint(string name) => new(404, "invalid_request_error", "endpoint_not_found",
        $"There is no endpoint '{name}' in the key's project; `cairn endpoints` lists them.");

    public static CallError NotAllowed(string model, string key) => new(403, "invalid_request_error", "model_not_allowed",
        $"The key '{key}' may not use the model '{model}'.", "model");

    public static CallError NotMetered(string path, string key) => new(403, "invalid_request_error", "not_metered",
        $"The key '{key}' has a budget or a limit of tokens, and what goes to '{path}' is not counted. Call the model below /v1, or use a key without these limits.");

    public static CallError Uncounted(string model) =>
        Invalid($"What stands behind '{model}' cannot count tokens: only replicas with a route to tokenize, and providers that speak Anthropic's words, can.", "model");

    public static CallError TooLarge(int most) => new(413, "invalid_request_error", "request_too_large", $"The body is larger than {most:N0} bytes.");

    public static CallError NoMemory { get; } = new(503, "server_error", "overloaded", "Too many large requests are under way. Try again.")
    {
        RetryAfter = TimeSpan.FromSeconds(1),
    };

    public static CallError Asleep(string model, TimeSpan waited) => new(503, "server_error", "no_replica",
        $"No replica of '{model}' became ready within {waited.TotalSeconds:0.#} s. `cairn endpoint {model}` tells why.")
    {
        RetryAfter = TimeSpan.FromSeconds(5),
    };

    public static CallError QueueFull(string model, int most) => new(503, "server_error", "overloaded", $"{most} requests wait for '{model}' already.")
    {
        RetryAfter = TimeSpan.FromSeconds(2),
    };

    public static CallError NoGrpc(string model) => new(501, "invalid_request_error", "no_grpc",
        $"The replicas of '{model}' speak no gRPC. Call it over REST, or name their port: 'service: {{grpc_port: 8001}}' in its workload, or listen on $GRPC_PORT.");

    public static CallError BudgetUnconfirmed(string whose, Money share, Money asked) => new(503, "server_error", "budget_unconfirmed",
        $"This gateway may spend {share} of {whose} for now, and that is not enough for this request, which may cost {asked}. Try again.")
    {
        RetryAfter = TimeSpan.FromSeconds(5),
    };

    public static CallError NotKept { get; } = new(500, "server_error", "not_stored", "The response could not be stored. Try again, or send 'store': false.");

    /// <summary>What the request is about is kept elsewhere, and that cannot be reached now.</summary>
    public static CallError Away { get; } = new(503, "server_error", "unavailable", "What is kept here cannot be read or written at the moment. Try again.")
    {
        RetryAfter = TimeSpan.FromSeconds(1),
    };

    public static CallError AllFailed(string model, string last) => new(502, "server_error", "upstream_failed", $"Every attempt at '{model}' failed; the last: {last}.");

    public static CallError BrokeOff(string why) => new(502, "server_error", "stream_interrupted", $"The answer broke off: {why}. Send the request again.");
}
