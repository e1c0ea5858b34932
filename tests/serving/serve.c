/* Loads a SavedModel through TensorFlow's C library and answers requests from standard input.

   Line by line: "feed TENSOR TYPE RANK DIM..." followed by one line per value, "fetch TENSOR",
   and "run", which prints each fetched tensor in the same form as "TYPE RANK DIM..." and values,
   or one line "error MESSAGE", and forgets the request. Types: string, int32, bool, float32. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tensorflow/c/c_api.h>
#include <tensorflow/c/tf_tstring.h>

enum { MOST = 16, LINE = 1 << 16 };

static char line[LINE];
static TF_Graph *graph;

static char *next_line(void) {
  if (!fgets(line, LINE, stdin)) return NULL;
  line[strcspn(line, "\n")] = 0;
  return line;
}

/* "name:index" as an output of the graph. */
static TF_Output output_of(const char *tensor) {
  char name[512];
  int index = 0;
  sscanf(tensor, "%511[^:]:%d", name, &index);
  TF_Output result = {TF_GraphOperationByName(graph, name), index};
  if (!result.oper) {
    fprintf(stderr, "no operation %s\n", name);
    exit(1);
  }
  return result;
}

static TF_DataType type_of(const char *name) {
  if (!strcmp(name, "string")) return TF_STRING;
  if (!strcmp(name, "int32")) return TF_INT32;
  return !strcmp(name, "bool") ? TF_BOOL : TF_FLOAT;
}

static const char *name_of(TF_DataType type) {
  if (type == TF_STRING) return "string";
  if (type == TF_INT32) return "int32";
  return type == TF_BOOL ? "bool" : "float32";
}

/* A tensor from the rest of a "feed" line and the value lines after it. */
static TF_Tensor *read_tensor(const char *type_name, char *shape) {
  int64_t dims[8], count = 1;
  int rank = strtol(shape, &shape, 10);
  for (int i = 0; i < rank; i++) count *= dims[i] = strtoll(shape, &shape, 10);
  TF_DataType type = type_of(type_name);
  size_t size = type == TF_STRING ? sizeof(TF_TString) : TF_DataTypeSize(type);
  TF_Tensor *tensor = TF_AllocateTensor(type, dims, rank, count * size);
  void *data = TF_TensorData(tensor);
  for (int64_t i = 0; i < count; i++) {
    const char *value = next_line();
    if (type == TF_STRING) {
      TF_TString_Init((TF_TString *)data + i);
      TF_TString_Copy((TF_TString *)data + i, value, strlen(value));
    } else if (type == TF_BOOL) {
      ((unsigned char *)data)[i] = atoi(value);
    } else if (type == TF_INT32) {
      ((int32_t *)data)[i] = atoi(value);
    } else {
      ((float *)data)[i] = atof(value);
    }
  }
  return tensor;
}

static void print_tensor(const TF_Tensor *tensor) {
  TF_DataType type = TF_TensorType(tensor);
  int64_t count = TF_TensorElementCount(tensor);
  void *data = TF_TensorData(tensor);
  printf("%s %d", name_of(type), TF_NumDims(tensor));
  for (int i = 0; i < TF_NumDims(tensor); i++) printf(" %lld", (long long)TF_Dim(tensor, i));
  printf("\n");
  for (int64_t i = 0; i < count; i++) {
    if (type == TF_STRING) {
      TF_TString *text = (TF_TString *)data + i;
      printf("%.*s\n", (int)TF_TString_GetSize(text), TF_TString_GetDataPointer(text));
    } else if (type == TF_BOOL) {
      printf("%d\n", ((unsigned char *)data)[i]);
    } else if (type == TF_INT32) {
      printf("%d\n", ((int32_t *)data)[i]);
    } else {
      printf("%.9g\n", ((float *)data)[i]);
    }
  }
}

int main(int argc, char **argv) {
  const char *tags[] = {"serve"};
  TF_Status *status = TF_NewStatus();
  TF_SessionOptions *options = TF_NewSessionOptions();
  graph = TF_NewGraph();
  TF_Session *session =
      TF_LoadSessionFromSavedModel(options, NULL, argv[argc - 1], tags, 1, graph, NULL, status);
  if (TF_GetCode(status) != TF_OK) {
    fprintf(stderr, "%s\n", TF_Message(status));
    return 1;
  }
  TF_Output feeds[MOST], fetches[MOST];
  TF_Tensor *inputs[MOST], *outputs[MOST];
  int num_feeds = 0, num_fetches = 0;
  while (next_line()) {
    char tensor[512], type[16];
    int shape_at = 0;
    if (sscanf(line, "feed %511s %15s %n", tensor, type, &shape_at) == 2) {
      feeds[num_feeds] = output_of(tensor);
      inputs[num_feeds++] = read_tensor(type, line + shape_at);
    } else if (sscanf(line, "fetch %511s", tensor) == 1) {
      fetches[num_fetches++] = output_of(tensor);
    } else {
      TF_SessionRun(session, NULL, feeds, inputs, num_feeds, fetches, outputs, num_fetches, NULL, 0,
                    NULL, status);
      if (TF_GetCode(status) == TF_OK) {
        for (int i = 0; i < num_fetches; i++) {
          print_tensor(outputs[i]);
          TF_DeleteTensor(outputs[i]);
        }
      } else {
        char message[LINE];
        snprintf(message, LINE, "%s", TF_Message(status));
        for (char *at = message; *at; at++) *at = *at == '\n' ? ' ' : *at;
        printf("error %s\n", message);
      }
      for (int i = 0; i < num_feeds; i++) TF_DeleteTensor(inputs[i]);
      num_feeds = num_fetches = 0;
    }
  }
  return 0;
}
