using System.Text;
using System.Text.Json;
using Cairn.Frameworks.Engine.OpenAi;
using Cairn.Frameworks.Engine.OpenAi.Requests;
using CsCheck;

namespace Cairn.Frameworks.Tests.OpenAi;

public sealed class Bad_requests
{
    private const string User = """ "messages":[{"role":"user","content":"hi"}] """;

    [Theory]
    [InlineData("""{}""", "messages", "missing")]
    [InlineData("""{"messages":[]}""", "messages", "at least one")]
    [InlineData("""{"messages":"hi"}""", "messages", "an array")]
    [InlineData("""{"messages":[3]}""", "messages[0]", "an object")]
    [InlineData("""{"messages":[{"content":"hi"}]}""", "messages[0].role", "missing")]
    [InlineData("""{"messages":[{"role":"robot","content":"hi"}]}""", "messages[0].role", "system, developer, user, assistant, tool")]
    [InlineData("""{"messages":[{"role":"user"}]}""", "messages[0].content", "missing")]
    [InlineData("""{"messages":[{"role":"user","content":7}]}""", "messages[0].content", "a text or a list")]
    [InlineData("""{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}]}""", "messages[0].content[0].type", "text only")]
    [InlineData("""{"messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"input_audio"}]}]}""", "messages[0].content[1].type", "text only")]
    [InlineData("""{"messages":[{"role":"user","content":[{"type":"text"}]}]}""", "messages[0].content[0].text", "missing")]
    [InlineData("""{"messages":[{"role":"tool","content":"1"}]}""", "messages[0].tool_call_id", "missing")]
    [InlineData("""{"messages":[{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{"}}]}]}""",
        "messages[0].tool_calls[0].function.arguments", "JSON")]
    public void A_conversation_is_refused_with_the_place_of_the_mistake(string json, string param, string says) =>
        Refused(Chat(json), param, says);

    [Theory]
    [InlineData("\"temperature\":-1", "temperature", "0 to 2")]
    [InlineData("\"temperature\":\"hot\"", "temperature", "a number")]
    [InlineData("\"temperature\":1e400", "temperature", "0 to 2")]
    [InlineData("\"top_p\":1.5", "top_p", "0 to 1")]
    [InlineData("\"top_k\":-2", "top_k", "at least -1")]
    [InlineData("\"top_k\":2.5", "top_k", "an integer")]
    [InlineData("\"max_tokens\":-5", "max_tokens", "at least 1")]
    [InlineData("\"max_tokens\":0", "max_tokens", "at least 1")]
    [InlineData("\"max_completion_tokens\":99999999999", "max_completion_tokens", "at least 1")]
    [InlineData("\"max_tokens\":\"many\"", "max_tokens", "an integer")]
    [InlineData("\"n\":0", "n", "1 to 128")]
    [InlineData("\"n\":129", "n", "1 to 128")]
    [InlineData("\"presence_penalty\":3", "presence_penalty", "-2 to 2")]
    [InlineData("\"frequency_penalty\":[]", "frequency_penalty", "a number")]
    [InlineData("\"repetition_penalty\":0", "repetition_penalty", "0.01 to 10")]
    [InlineData("\"min_p\":2", "min_p", "0 to 1")]
    [InlineData("\"seed\":1.5", "seed", "an integer")]
    [InlineData("\"stop\":5", "stop", "an array")]
    [InlineData("\"stop\":[\"a\",5]", "stop[1]", "a text")]
    [InlineData("\"stop\":\"\"", "stop", "1 to 1024")]
    [InlineData("\"stream\":\"yes\"", "stream", "true or false")]
    [InlineData("\"stream_options\":{\"include_usage\":true}", "stream_options", "stream is not true")]
    [InlineData("\"top_logprobs\":3", "top_logprobs", "logprobs is not true")]
    [InlineData("\"logprobs\":true,\"top_logprobs\":21", "top_logprobs", "0 to 20")]
    [InlineData("\"logprobs\":5", "logprobs", "true or false")]
    [InlineData("\"logit_bias\":{\"a\":1}", "logit_bias", "token ids")]
    [InlineData("\"logit_bias\":{\"-3\":1}", "logit_bias", "token ids")]
    [InlineData("\"logit_bias\":{\"3\":101}", "logit_bias.3", "-100 to 100")]
    [InlineData("\"model\":4", "model", "a text")]
    [InlineData("\"response_format\":{}", "response_format.type", "missing")]
    [InlineData("\"response_format\":{\"type\":\"xml\"}", "response_format.type", "text, json_object, json_schema")]
    [InlineData("\"response_format\":{\"type\":\"json_schema\"}", "response_format.json_schema", "missing")]
    [InlineData("\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"a\",\"schema\":3}}",
        "response_format.json_schema.schema", "a JSON Schema")]
    [InlineData("\"guided_regex\":\"a\",\"guided_json\":{}", "guided_regex", "give one of them")]
    [InlineData("\"guided_json\":\"{\"", "guided_json", "no JSON object")]
    [InlineData("\"guided_choice\":[]", "guided_choice", "1 to 1024")]
    [InlineData("\"guided_choice\":[\"\"]", "guided_choice[0]", "not empty")]
    [InlineData("\"guided_grammar\":\"root\"", "guided_grammar", "not supported")]
    [InlineData("\"structured_outputs\":{\"regex\":4}", "structured_outputs.regex", "a text")]
    [InlineData("\"tools\":[{}]", "tools[0].function", "missing")]
    [InlineData("\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"a b\"}}]", "tools[0].function.name", "letters, digits")]
    [InlineData("\"tools\":[{\"type\":\"code\",\"function\":{\"name\":\"a\"}}]", "tools[0].type", "function")]
    [InlineData("\"tools\":[{\"function\":{\"name\":\"a\"}}]", "tools[0].type", "missing")]
    [InlineData("\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"a\",\"parameters\":[]}}]", "tools[0].function.parameters",
        "an object")]
    [InlineData("\"tool_choice\":\"required\"", "tool_choice", "no tools")]
    [InlineData("\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"a\"}}],\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"b\"}}", "tool_choice", "not among")]
    [InlineData("\"functions\":[]", "functions", "use tools")]
    public void A_field_is_refused_with_its_name_and_what_was_expected(string field, string param, string says) =>
        Refused(Chat($"{{{User},{field}}}"), param, says);

    [Theory]
    [InlineData("""{}""", "prompt", "missing")]
    [InlineData("""{"prompt":[]}""", "prompt", "at least one")]
    [InlineData("""{"prompt":{"a":1}}""", "prompt", "a text, tokens")]
    [InlineData("""{"prompt":[1,-2]}""", "prompt[1]", "not negative")]
    [InlineData("""{"prompt":[1,"a"]}""", "prompt[1]", "an integer")]
    [InlineData("""{"prompt":["a",5]}""", "prompt[1]", "a list of tokens")]
    [InlineData("""{"prompt":[[1],[]]}""", "prompt[1]", "a list of tokens")]
    [InlineData("""{"prompt":"a","suffix":"b"}""", "suffix", "not supported")]
    [InlineData("""{"prompt":"a","best_of":1,"n":2}""", "best_of", "at least n")]
    [InlineData("""{"prompt":"a","best_of":3,"stream":true}""", "best_of", "cannot be streamed")]
    [InlineData("""{"prompt":"a","logprobs":21}""", "logprobs", "0 to 20")]
    [InlineData("""{"prompt":"a","echo":true,"logprobs":1}""", "echo", "not supported")]
    [InlineData("""{"prompt":["a","b","c"],"n":100}""", "n", "at most 128")]
    public void A_completion_is_refused_with_the_name_of_the_field(string json, string param, string says) =>
        Refused(Completion(json), param, says);

    [Fact]
    public void A_thousand_stop_strings_are_too_many()
    {
        var stops = string.Join(',', Enumerable.Repeat("\"x\"", 1000));
        Refused(Chat($"{{{User},\"stop\":[{stops}]}}"), "stop", "at most 16");
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{\"a\":1,\"a\":2}")]
    [InlineData("{\"a\":\"\\ud800\"}")]
    [InlineData("{\"\\ud800\":1}")]
    public void A_body_that_is_no_sound_json_object_is_refused(string body)
    {
        var (document, error) = RequestBody.Parse(Encoding.UTF8.GetBytes(body));
        Assert.Null(document);
        Assert.Equal((400, "invalid_json"), (error!.Status, error.Code));
    }

    [Fact]
    public void A_body_that_is_not_utf_8_is_refused()
    {
        var (_, error) = RequestBody.Parse(new byte[] { (byte)'{', (byte)'"', 0xc3, (byte)'"', (byte)':', (byte)'1', (byte)'}' });
        Assert.Contains("UTF-8", error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_body_nested_too_deep_is_refused()
    {
        var (_, error) = RequestBody.Parse(Encoding.UTF8.GetBytes("{\"a\":" + new string('[', 1000) + new string(']', 1000) + "}"));
        Assert.Equal(400, error!.Status);
    }

    [Fact]
    public void Whatever_json_comes_a_parser_answers_with_a_request_or_a_typed_error()
    {
        string[] names = ["messages", "prompt", "stop", "logit_bias", "tools", "tool_choice", "response_format", "n", "seed", "content",
            "role", "type", "function", "user"];
        string[] leaves = ["null", "true", "-1", "1e999", "12345678901234567890", "\"x\"", "\"\"", "[]", "{}", "\"user\"", "\"function\"",
            "\"json_schema\"", "\"text\""];
        var value = Gen.Recursive<string>((depth, self) => depth >= 3
            ? Word(leaves)
            : Gen.OneOf(
                Word(leaves),
                self.Array[0, 3].Select(items => $"[{string.Join(',', items)}]"),
                Gen.Select(Word(names), self).Array[0, 4].Select(pairs =>
                    $"{{{string.Join(',', pairs.DistinctBy(pair => pair.Item1).Select(pair => $"\"{pair.Item1}\":{pair.Item2}"))}}}")));
        Gen.Select(Word(names), value).Array[0, 6].Sample(pairs =>
        {
            var json = $"{{{string.Join(',', pairs.DistinctBy(pair => pair.Item1).Select(pair => $"\"{pair.Item1}\":{pair.Item2}"))}}}";
            foreach (var error in new[] { Chat(json), Completion(json) })
                Assert.True(error is null or { Status: 400, Param: not null }, json);
        }, iter: 3000);
    }

    private static Gen<string> Word(string[] words) => Gen.Int[0, words.Length - 1].Select(index => words[index]);

    private static void Refused(OpenAiError? error, string param, string says)
    {
        Assert.NotNull(error);
        Assert.Equal((400, param), (error.Status, error.Param));
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
    }

    private static OpenAiError? Chat(string json) => Read(json, fields => ChatRequest.Parse(fields));

    private static OpenAiError? Completion(string json) => Read(json, fields => CompletionRequest.Parse(fields));

    private static OpenAiError? Read(string json, Action<Fields> parse)
    {
        var (document, error) = RequestBody.Parse(Encoding.UTF8.GetBytes(json));
        if (document is null)
            throw new JsonException($"The test's own JSON is wrong: {error!.Message} {json}");
        using (document)
        {
            var fields = new Fields(document.RootElement);
            parse(fields);
            return fields.Error;
        }
    }
}
